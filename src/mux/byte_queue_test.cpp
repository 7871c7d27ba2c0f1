#include "mux/byte_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <vector>

namespace gost {
namespace {

TEST(ByteQueue, IsEmptyToBeginWithAndAfterClear) {
  ByteQueue queue;
  std::vector<std::uint8_t> into(10);
  EXPECT_EQ(queue.pop(into), 0U);
  std::vector<std::uint8_t> much(1'000'000);
  queue.push(much);
  EXPECT_EQ(queue.size(), much.size());
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pop(into), 0U);
}

RC_GTEST_PROP(ByteQueue, GivesWhatItGotInOrder, ()) {
  ByteQueue queue;
  std::uint8_t next_in = 0;
  std::uint8_t next_out = 0;
  std::size_t size = 0;
  int steps = *rc::gen::inRange(1, 100);
  for (int i = 0; i < steps; ++i) {
    bool push = *rc::gen::arbitrary<bool>();
    auto count = static_cast<std::size_t>(*rc::gen::weightedOneOf<int>(
        {{3, rc::gen::inRange(0, 5)}, {3, rc::gen::inRange(0, 2000)}, {1, rc::gen::inRange(0, 100'000)}}));
    std::vector<std::uint8_t> bytes(count);
    if (push) {
      for (auto& byte : bytes) byte = next_in++;
      queue.push(bytes);
      size += count;
    } else {
      std::size_t got = queue.pop(bytes);
      RC_ASSERT(got == std::min(count, size));
      for (std::size_t at = 0; at < got; ++at) RC_ASSERT(bytes[at] == next_out++);
      size -= got;
    }
    RC_ASSERT(queue.size() == size);
    RC_ASSERT(queue.empty() == (size == 0));
  }
}

}  // namespace
}  // namespace gost
