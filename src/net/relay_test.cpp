#include "net/relay.hpp"

#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "net/testing/stream_over.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <random>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// Two outer ends with a relay between two inner ends, over memory or over kernel sockets.
struct Tunnel {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> client_side;
  std::unique_ptr<Stream> target_side;
  std::unique_ptr<Stream> target;
  BufferPool buffers;
  PipePool pipes;
  RelayCounters counters;
  std::optional<Error> error;
  bool done = false;

  Task<> run(RelayOptions options) {
    error = co_await relay(*client_side, *target_side, {buffers, pipes}, options, counters);
    done = true;
    client_side.reset();
    target_side.reset();
  }
};

void over_memory(Tunnel& tunnel, const MemoryPipeOptions& options = {}) {
  std::tie(tunnel.client_side, tunnel.client) = make_memory_pipe(options);
  std::tie(tunnel.target_side, tunnel.target) = make_memory_pipe(options);
}

void over_sockets(Loop& loop, Tunnel& tunnel) {
  auto pair = [&loop](std::unique_ptr<Stream>& outer, std::unique_ptr<Stream>& inner) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    outer = std::move(TcpStream::adopt(loop, Fd(ends[0]), {}).value());
    inner = std::move(TcpStream::adopt(loop, Fd(ends[1]), {}).value());
  };
  pair(tunnel.client, tunnel.client_side);
  pair(tunnel.target, tunnel.target_side);
}

Task<> send_and_end(Stream& stream, std::vector<std::uint8_t> bytes) {
  EXPECT_TRUE(co_await write_all(stream, bytes));
  EXPECT_EQ(stream.try_shutdown().status, IoResult::Status::ok);
}

/// Reads to the end; pauses now and then so that the relay meets a full sink.
Task<> collect(Stream& stream, std::vector<std::uint8_t>& into, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<std::uint8_t> buffer(100'000);
  for (;;) {
    std::size_t limit = 1 + random() % buffer.size();
    auto got = co_await read_some(stream, MutableBytes(buffer).first(limit));
    if (!got || *got == 0) break;
    into.insert(into.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
    if (random() % 4 == 0) co_await yield();
  }
}

std::vector<std::uint8_t> noise(std::size_t size, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

void expect_both_ways(Loop& loop, Tunnel& tunnel, std::size_t size, bool splice) {
  auto up = noise(size, 1);
  auto down = noise(size / 2 + 1, 2);
  std::vector<std::uint8_t> got_up;
  std::vector<std::uint8_t> got_down;
  loop.run([](Tunnel& t, auto& sent_up, auto& sent_down, auto& up_end, auto& down_end, bool use_splice) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.splice = use_splice}));
    group.spawn(send_and_end(*t.client, sent_up));
    group.spawn(send_and_end(*t.target, sent_down));
    group.spawn(collect(*t.target, up_end, 3));
    group.spawn(collect(*t.client, down_end, 4));
    co_await group.join();
  }(tunnel, up, down, got_up, got_down, splice));
  EXPECT_TRUE(got_up == up);
  EXPECT_TRUE(got_down == down);
  EXPECT_EQ(tunnel.counters.from_a, up.size());
  EXPECT_EQ(tunnel.counters.from_b, down.size());
  EXPECT_FALSE(tunnel.error) << tunnel.error->text;
}

TEST(Relay, BothDirectionsArriveWholeOverMemory) {
  for (std::size_t size : {0U, 1U, 65'536U, 300'000U}) {
    Loop loop(Loop::Time::simulated);
    Tunnel tunnel;
    over_memory(tunnel, {.capacity = 1000, .read_at_most = 333});
    expect_both_ways(loop, tunnel, size, true);
  }
}

TEST(Relay, BothDirectionsArriveWholeBySpliceAndByCopy) {
  for (bool splice : {false, true}) {
    Loop loop;
    Tunnel tunnel;
    over_sockets(loop, tunnel);
    expect_both_ways(loop, tunnel, 8'000'000, splice);
  }
}

TEST(Relay, AnIdleTunnelHoldsNoBuffer) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel);
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({}));
    EXPECT_TRUE(co_await write_all(*t.client, as_bytes("ping")));
    std::array<std::uint8_t, 4> buffer{};
    EXPECT_TRUE(co_await read_exactly(*t.target, buffer));
    co_await yield();
    EXPECT_EQ(t.buffers.kept(), 1U) << "the borrowed buffer is back";
    group.stop();
    co_await group.join();
  }(tunnel));
  EXPECT_EQ(tunnel.error->cause, Cause::canceled);
}

TEST(Relay, AfterAHalfCloseTheOtherDirectionGoesOnUntilTheGracePassesWithoutBytes) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel);
  TimePoint start = loop.now();
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.half_close_grace = 10s}));
    EXPECT_EQ(t.client->try_shutdown().status, IoResult::Status::ok);
    std::array<std::uint8_t, 1> byte{};
    for (int i = 0; i < 5; ++i) {
      co_await sleep_for(9s);
      EXPECT_TRUE(co_await write_all(*t.target, as_bytes("x")));
      EXPECT_TRUE(co_await read_exactly(*t.client, byte));
    }
    co_await group.join();
  }(tunnel));
  EXPECT_EQ(loop.now() - start, 55s);
  EXPECT_EQ(tunnel.error->cause, Cause::timeout);
  EXPECT_EQ(tunnel.counters.from_b, 5U);
}

TEST(Relay, AStreamWithoutHalfCloseEndsTheTunnelWithoutAnError) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  std::tie(tunnel.client_side, tunnel.client) = make_memory_pipe();
  std::tie(tunnel.target_side, tunnel.target) = make_memory_pipe({.half_close = false});
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({}));
    EXPECT_EQ(t.client->try_shutdown().status, IoResult::Status::ok);
    co_await group.join();
  }(tunnel));
  EXPECT_FALSE(tunnel.error);
}

TEST(Relay, AnIdleTimeoutEndsASilentTunnelOnly) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel);
  TimePoint start = loop.now();
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.idle_timeout = 60s}));
    co_await sleep_for(59s);
    EXPECT_TRUE(co_await write_all(*t.client, as_bytes("x")));
    co_await group.join();
  }(tunnel));
  EXPECT_EQ(loop.now() - start, 119s);
}

TEST(Relay, AResetIsPassedOnAsAReset) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel);
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({}));
    t.target->abort();
    t.target.reset();
    co_await group.join();
    std::array<std::uint8_t, 1> byte{};
    EXPECT_EQ((co_await read_exactly(*t.client, byte)).error().cause, Cause::reset);
  }(tunnel));
  EXPECT_EQ(tunnel.error->cause, Cause::reset);
}

TEST(Relay, EndsWithAnErrorWhicheverStepFails) {
  for (std::size_t step = 0; step < 6; ++step) {
    Loop loop(Loop::Time::simulated);
    Tunnel tunnel;
    over_memory(tunnel, {.fail_at = step});
    loop.run([](Tunnel& t) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(t.run({}));
      for (int i = 0; i < 8 && !t.done; ++i) {
        std::ignore = co_await write_all(*t.client, as_bytes("ping"));
        std::ignore = co_await write_all(*t.target, as_bytes("pong"));
        for (int turn = 0; turn < 4; ++turn) co_await yield();
      }
      EXPECT_TRUE(t.done);
      group.stop();
      co_await group.join();
    }(tunnel));
    ASSERT_TRUE(tunnel.error) << step;
    EXPECT_EQ(tunnel.error->cause, Cause::reset) << step;
  }
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(Relay, ATunnelThatWasHotGivesItsPipeBackWhenItIsIdle) {
  Loop loop;
  Tunnel tunnel;
  over_sockets(loop, tunnel);
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    std::size_t before = open_descriptors();
    group.spawn(t.run({}));
    std::vector<std::uint8_t> block(4'000'000);
    auto send_block = [](Stream& stream, Bytes bytes) -> Task<> { EXPECT_TRUE(co_await write_all(stream, bytes)); };
    std::vector<std::uint8_t> got(block.size());
    group.spawn(send_block(*t.target, block));
    EXPECT_TRUE(co_await read_exactly(*t.client, got));
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    EXPECT_EQ(open_descriptors(), before + 2) << "one pipe, and that one is in the pool";
    EXPECT_TRUE(t.pipes.borrow());
    EXPECT_EQ(open_descriptors(), before) << "nobody else holds one";
    group.stop();
    co_await group.join();
  }(tunnel));
}

TEST(Relay, ASlowReaderIsNotCutOffAfterAHalfCloseWhileBytesMove) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel, {.capacity = 100});
  std::vector<std::uint8_t> sent = noise(2000, 5);
  std::vector<std::uint8_t> got(sent.size());
  loop.run([](Tunnel& t, auto& out, auto& in) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.half_close_grace = 10s}));
    EXPECT_EQ(t.client->try_shutdown().status, IoResult::Status::ok);
    group.spawn(send_and_end(*t.target, out));
    for (std::size_t at = 0; at < in.size(); at += 100) {
      co_await sleep_for(9s);
      EXPECT_TRUE(co_await read_exactly(*t.client, MutableBytes(in).subspan(at, 100)));
    }
    co_await group.join();
  }(tunnel, sent, got));
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(tunnel.error) << tunnel.error->text;
}

TEST(Relay, AFailedWriteLeavesTheOtherDirectionItsBytes) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel, {.capacity = 100});
  std::vector<std::uint8_t> answer = noise(150, 6);
  std::vector<std::uint8_t> got;
  loop.run([](Tunnel& t, auto& out, auto& in) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({}));
    // The target answers more than fits on its way to the client, then goes; the client sends to it nevertheless.
    EXPECT_TRUE(co_await write_all(*t.target, Bytes(out).first(100)));
    for (int turn = 0; turn < 4; ++turn) co_await yield();
    EXPECT_TRUE(co_await write_all(*t.target, Bytes(out).subspan(100)));
    t.target.reset();
    EXPECT_TRUE(co_await write_all(*t.client, as_bytes("more")));
    for (int turn = 0; turn < 4; ++turn) co_await yield();
    co_await collect(*t.client, in, 7);
    co_await group.join();
  }(tunnel, answer, got));
  EXPECT_EQ(got, answer);
}

/// An end whose peer may have ended both directions, and on whose way bytes may be.
class Ending final : public testing::StreamOver {
 public:
  using StreamOver::StreamOver;
  bool closed() const override { return is_closed; }
  std::size_t undelivered() const override { return on_the_way; }
  IoResult try_write(Bytes from) override {
    return is_closed ? IoResult::failed(EPIPE) : StreamOver::try_write(from);
  }

  bool is_closed = false;
  std::size_t on_the_way = 0;
};

/// Puts one between the relay and the client, or the target.
Ending& make_ending(std::unique_ptr<Stream>& side) {
  auto ending = std::make_unique<Ending>(std::move(side));
  Ending& made = *ending;
  side = std::move(ending);
  return made;
}

TEST(Relay, ASourceThatIsClosedEndsTheTunnelOnceTheSinkHasEverything) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel);
  Ending& client = make_ending(tunnel.client_side);
  Ending& target = make_ending(tunnel.target_side);
  TimePoint start = loop.now();
  loop.run([](Tunnel& t, Ending& source, Ending& sink) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.half_close_grace = 10s}));
    EXPECT_TRUE(co_await write_all(*t.client, as_bytes("last")));
    EXPECT_EQ(t.client->try_shutdown().status, IoResult::Status::ok);
    source.is_closed = true;
    sink.on_the_way = 4;
    std::array<std::uint8_t, 4> got{};
    EXPECT_TRUE(co_await read_exactly(*t.target, got));
    EXPECT_EQ(co_await read_some(*t.target, got), 0U) << "the end is told at once";
    for (int i = 0; i < 4 && !t.done; ++i) {
      co_await sleep_for(9s);
      EXPECT_FALSE(t.done) << "bytes are still on their way";
      if (!t.done) --sink.on_the_way;
    }
    co_await group.join();
  }(tunnel, client, target));
  EXPECT_GE(loop.now() - start, 36s);
  EXPECT_LT(loop.now() - start, 37s) << "the target has not reacted";
  EXPECT_FALSE(tunnel.error) << tunnel.error->text;
}

TEST(Relay, WhatASinkThatIsGoneCannotTakeBlocksNobody) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel, {.capacity = 100});
  make_ending(tunnel.target_side).is_closed = true;
  const TimePoint start = loop.now();
  loop.run([](Tunnel& t) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({.half_close_grace = 10s}));
    const std::vector<std::uint8_t> sent = noise(5000, 8);
    auto send = [](Stream& client, Bytes bytes) -> Task<Result<>> { co_return co_await write_all(client, bytes); };
    EXPECT_TRUE(co_await with_deadline(1s, send(*t.client, sent))) << "its session would be stuck";
    EXPECT_FALSE(t.done) << "the target may still say something";
    co_await group.join();
  }(tunnel));
  EXPECT_EQ(loop.now() - start, 10s);
}

TEST(Relay, WhatTheTargetStillSendsToAClosedClientIsNoError) {
  Loop loop(Loop::Time::simulated);
  Tunnel tunnel;
  over_memory(tunnel, {.capacity = 100});
  Ending& client = make_ending(tunnel.client_side);
  std::vector<std::uint8_t> sent = noise(1000, 8);
  std::vector<std::uint8_t> got;
  loop.run([](Tunnel& t, Ending& source, auto& out, auto& in) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(t.run({}));
    group.spawn(send_and_end(*t.client, out));
    for (int turn = 0; turn < 4; ++turn) co_await yield();
    source.is_closed = true;
    EXPECT_TRUE(co_await write_all(*t.target, as_bytes("in vain")));
    for (int turn = 0; turn < 4; ++turn) co_await yield();
    co_await collect(*t.target, in, 9);
    co_await group.join();
  }(tunnel, client, sent, got));
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(tunnel.error) << tunnel.error->text;
}

}  // namespace
}  // namespace gost
