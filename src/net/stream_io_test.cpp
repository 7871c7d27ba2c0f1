#include "net/stream_io.hpp"

#include "net/memory_pipe.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

namespace gost {
namespace {

using namespace std::chrono_literals;

Task<> send(Stream& stream, Bytes bytes, Result<>& result) {
  result = co_await write_all(stream, bytes);
}

TEST(StreamIo, EveryByteArrivesHoweverReadsAreSplitAndWritesBlock) {
  std::vector<std::uint8_t> sent(10'000);
  std::iota(sent.begin(), sent.end(), std::uint8_t{0});
  for (std::size_t split : {1U, 2U, 7U, 100'000U}) {
    Loop loop(Loop::Time::simulated);
    auto [a, b] = make_memory_pipe({.capacity = 100, .read_at_most = split});
    std::vector<std::uint8_t> got(sent.size());
    loop.run([](Stream& from, Stream& to, Bytes out, MutableBytes in) -> Task<> {
      TaskGroup group(co_await this_scope());
      Result<> written = fail(Cause::other, "not run");
      group.spawn(send(from, out, written));
      EXPECT_TRUE(co_await read_exactly(to, in));
      co_await group.join();
      EXPECT_TRUE(written);
    }(*b, *a, sent, got));
    EXPECT_EQ(got, sent) << split;
  }
}

TEST(StreamIo, AnExactReadLeavesWhatFollows) {
  Loop loop(Loop::Time::simulated);
  auto [a, b] = make_memory_pipe();
  loop.run([](Stream& from, Stream& to) -> Task<> {
    EXPECT_TRUE(co_await write_all(from, as_bytes("helloworld")));
    std::array<std::uint8_t, 5> first{};
    EXPECT_TRUE(co_await read_exactly(to, first));
    EXPECT_EQ(as_text(first), "hello");
    std::array<std::uint8_t, 64> rest{};
    EXPECT_EQ((co_await read_some(to, rest)).value(), 5U);
  }(*a, *b));
}

TEST(StreamIo, EndResetAndStopAreDifferentErrors) {
  Loop loop(Loop::Time::simulated);
  loop.run([]() -> Task<> {
    std::array<std::uint8_t, 4> buffer{};
    {
      auto [a, b] = make_memory_pipe();
      EXPECT_TRUE(co_await write_all(*b, as_bytes("ab")));
      b.reset();
      auto result = co_await read_exactly(*a, buffer);
      EXPECT_EQ(result.error().cause, Cause::eof);
    }
    {
      auto [a, b] = make_memory_pipe();
      b->abort();
      b.reset();
      EXPECT_EQ((co_await read_exactly(*a, buffer)).error().cause, Cause::reset);
    }
    {
      auto [a, b] = make_memory_pipe();
      auto read = [](Stream& stream, MutableBytes into) -> Task<Result<>> {
        co_return co_await read_exactly(stream, into);
      };
      auto result = co_await with_deadline(1s, read(*a, buffer));
      EXPECT_EQ(result.error().cause, Cause::timeout);
      EXPECT_EQ(result.error().text, "i/o timeout");
    }
  }());
}

}  // namespace
}  // namespace gost
