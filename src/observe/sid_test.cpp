#include "observe/sid.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

std::string bits_of(std::string_view sid) {
  std::string bits;
  for (char c : sid) {
    int value = c <= '9' ? c - '0' : c - 'a' + 10;
    for (int bit = 4; bit >= 0; --bit) bits += (value >> bit & 1) != 0 ? '1' : '0';
  }
  return bits;
}

std::uint64_t number(const std::string& bits, std::size_t from, std::size_t count) {
  return std::stoull(bits.substr(from, count), nullptr, 2);
}

TEST(Sid, HoldsTimeMachineProcessAndCounter) {
  SidSource source({0xab, 0xcd, 0xef}, 0x1234, 0xfffffe);
  auto bits = bits_of(source.next(WallTime(1795396792s + 999ms)).view());
  ASSERT_EQ(bits.size(), 100U);
  EXPECT_EQ(number(bits, 0, 32), 1795396792U);
  EXPECT_EQ(number(bits, 32, 24), 0xabcdefU);
  EXPECT_EQ(number(bits, 56, 16), 0x1234U);
  EXPECT_EQ(number(bits, 72, 24), 0xfffffeU);
  EXPECT_EQ(number(bits, 96, 4), 0U);
  EXPECT_EQ(number(bits_of(source.next({}).view()), 72, 24), 0xffffffU);
  EXPECT_EQ(number(bits_of(source.next({}).view()), 72, 24), 0U);
}

TEST(Sid, IsTheTextThatXidGivesForKnownBytes) {
  // The example of the xid documentation: 4d 88 e1 5b 60 f4 86 e4 28 41 2d c9.
  SidSource source({0x60, 0xf4, 0x86}, 0xe428, 0x412dc9);
  EXPECT_EQ(source.next(WallTime(std::chrono::seconds(0x4d88e15b))).view(), "9m4e2mr0ui3e8a215n4g");
}

TEST(Sid, ThreadsNeverGetTheSame) {
  SidSource source;
  std::mutex mutex;
  std::set<std::string> seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      std::vector<std::string> own;
      for (int j = 0; j < 1000; ++j) own.emplace_back(source.next(WallTime(1s)).view());
      std::lock_guard lock(mutex);
      seen.insert(own.begin(), own.end());
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), 4000U);
}

}  // namespace
}  // namespace gost
