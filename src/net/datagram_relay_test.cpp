#include "net/datagram_relay.hpp"

#include "net/memory_datagram.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

const SocketAddress kClient(IpAddress::v4({10, 0, 0, 1}), 1000);
const SocketAddress kTarget(IpAddress::v4({10, 0, 0, 2}), 53);
const SocketAddress kOther(IpAddress::v4({10, 0, 0, 3}), 7);

struct Counts {
  std::uint64_t datagrams_from_a = 0;
  std::uint64_t bytes_from_a = 0;
  std::uint64_t datagrams_to_a = 0;
  std::uint64_t bytes_to_a = 0;
  std::uint64_t dropped = 0;

  DatagramRelayCounters refer() { return {datagrams_from_a, bytes_from_a, datagrams_to_a, bytes_to_a, dropped}; }
};

using Received = std::vector<std::pair<SocketAddress, std::string>>;

/// A relay between two memory ends whose far sides are the test's.
struct Fixture {
  explicit Fixture(DatagramRelayOptions relay_options = {}, const MemoryDatagramOptions& memory = {})
      : options(relay_options) {
    std::tie(a, client) = make_memory_datagrams(memory);
    std::tie(b, target) = make_memory_datagrams(memory);
  }

  Task<> relay() {
    error = co_await relay_datagrams(*a, *b, relay_batch, options, counts.refer());
    ended = true;
    ended_at = loop.now();
  }

  /// Runs the relay and the test beside it, until both have ended.
  void run(std::function<Task<>(Fixture&)> test) {
    loop.run([](Fixture& fixture, std::function<Task<>(Fixture&)> body) -> Task<> {
      fixture.started_at = fixture.loop.now();
      TaskGroup group(co_await this_scope());
      group.spawn(fixture.relay());
      co_await body(fixture);
      co_await group.join();
    }(*this, std::move(test)));
  }

  static Task<> settle() {
    for (int turn = 0; turn < 30; ++turn) co_await yield();
  }

  static void send(Datagram& end, const SocketAddress& peer, const std::string& payload) {
    std::vector<OutgoingDatagram> one{{.peer = peer, .name = {}, .head = {}, .payload = as_bytes(payload)}};
    end.try_send(one);
  }
  Received receive(Datagram& end) {
    Received received;
    while (end.try_receive(test_batch).status == IoResult::Status::ok)
      for (const ReceivedDatagram& it : test_batch.items()) received.emplace_back(it.peer, as_text(it.payload));
    return received;
  }

  Loop loop{Loop::Time::simulated};
  DatagramRelayOptions options;
  DatagramBatch relay_batch;
  DatagramBatch test_batch;
  std::unique_ptr<Datagram> a;
  std::unique_ptr<Datagram> client;
  std::unique_ptr<Datagram> b;
  std::unique_ptr<Datagram> target;
  Counts counts;
  std::optional<Error> error;
  bool ended = false;
  TimePoint started_at{};
  TimePoint ended_at{};
};

TEST(DatagramRelay, PassesDatagramsOnToTheFixedPeersAndCounts) {
  Fixture fixture({.forth = {.to = kTarget}, .back = {.to = kClient}});
  fixture.run([](Fixture& f) -> Task<> {
    Fixture::send(*f.client, kOther, "question");
    Fixture::send(*f.client, kOther, "");
    Fixture::send(*f.target, kOther, "answer");
    co_await Fixture::settle();
    EXPECT_EQ(f.receive(*f.target), (Received{{kTarget, "question"}, {kTarget, ""}}));
    EXPECT_EQ(f.receive(*f.client), (Received{{kClient, "answer"}}));
    f.client.reset();
  });
  EXPECT_FALSE(fixture.error) << "that the client has gone is no failure";
  EXPECT_EQ(fixture.counts.datagrams_from_a, 2U);
  EXPECT_EQ(fixture.counts.bytes_from_a, 8U);
  EXPECT_EQ(fixture.counts.datagrams_to_a, 1U);
  EXPECT_EQ(fixture.counts.bytes_to_a, 6U);
  EXPECT_EQ(fixture.counts.dropped, 0U);
}

TEST(DatagramRelay, WithoutAFixedPeerAddressesStayAsTheyAre) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    Fixture::send(*f.client, kTarget, "a");
    Fixture::send(*f.client, kOther, "b");
    co_await Fixture::settle();
    EXPECT_EQ(f.receive(*f.target), (Received{{kTarget, "a"}, {kOther, "b"}}));
    f.client.reset();
  });
}

TEST(DatagramRelay, TooLongDatagramsAreDroppedAndCountedAndHarmNoOther) {
  Fixture fixture({.forth = {.to = kTarget, .longest = 4}, .back = {.to = kClient, .longest = 3}});
  fixture.run([](Fixture& f) -> Task<> {
    for (const char* payload : {"1234", "12345", "x"}) Fixture::send(*f.client, kClient, payload);
    for (const char* payload : {"1234", "123"}) Fixture::send(*f.target, kTarget, payload);
    co_await Fixture::settle();
    EXPECT_EQ(f.receive(*f.target), (Received{{kTarget, "1234"}, {kTarget, "x"}}));
    EXPECT_EQ(f.receive(*f.client), (Received{{kClient, "123"}}));
    f.client.reset();
  });
  EXPECT_EQ(fixture.counts.dropped, 2U);
  EXPECT_EQ(fixture.counts.datagrams_from_a, 3U) << "what is dropped afterwards was received";
  EXPECT_EQ(fixture.counts.datagrams_to_a, 1U);
}

TEST(DatagramRelay, TheEndOfTheTargetIsAFailure) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    f.target.reset();
    co_return;
  });
  ASSERT_TRUE(fixture.error);
  EXPECT_EQ(fixture.error->cause, Cause::eof);
}

TEST(DatagramRelay, EndsWhenNothingPassesForTheIdleTime) {
  Fixture fixture({.idle_timeout = 30s});
  fixture.run([](Fixture& f) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      co_await sleep_for(20s);
      Fixture::send(i == 1 ? *f.target : *f.client, kOther, "x");
    }
  });
  ASSERT_TRUE(fixture.error);
  EXPECT_EQ(fixture.error->cause, Cause::timeout);
  EXPECT_EQ(fixture.error->text, "no datagram for 30s");
  EXPECT_EQ(fixture.ended_at - fixture.started_at, 90s) << "30 s after the last datagram, either way";
}

TEST(DatagramRelay, WhatIsDroppedDoesNotKeepItAlive) {
  Fixture fixture({.forth = {.longest = 2}, .idle_timeout = 30s});
  fixture.run([](Fixture& f) -> Task<> {
    co_await sleep_for(20s);
    Fixture::send(*f.client, kOther, "long");
  });
  EXPECT_EQ(fixture.ended_at - fixture.started_at, 30s);
}

TEST(DatagramRelay, AStopEndsIt) {
  Fixture fixture;
  fixture.loop.run([](Fixture& f) -> Task<> { co_await with_deadline(5s, f.relay()); }(fixture));
  ASSERT_TRUE(fixture.error);
  EXPECT_EQ(fixture.error->cause, Cause::timeout);
}

TEST(DatagramRelay, WaitsForPendingBytesBeforeItReceivesMore) {
  Fixture fixture({}, {.capacity = 2, .receive_at_most = 1, .keeps_what_was_begun = true});
  fixture.run([](Fixture& f) -> Task<> {
    std::size_t accepted = 0;
    for (int i = 0; i < 20; ++i) {
      Fixture::send(*f.client, kTarget, std::to_string(i));
      if (f.client->ready(Interest::write)) ++accepted;
      co_await Fixture::settle();
    }
    EXPECT_FALSE(f.client->ready(Interest::write)) << "a target that takes nothing stops the client";
    EXPECT_LT(accepted, 6U);
    std::size_t got = 0;
    for (int i = 0; i < 20; ++i) {
      got += f.receive(*f.target).size();
      co_await Fixture::settle();
    }
    EXPECT_EQ(got, 5U) << "two on each leg and the one that was begun: none of those that were taken is lost";
    EXPECT_EQ(f.counts.datagrams_from_a, 5U);
    EXPECT_EQ(f.counts.dropped, 0U);
    f.client.reset();
  });
}

TEST(DatagramRelay, ATargetThatDiesWhileBytesArePendingEndsIt) {
  Fixture fixture({}, {.capacity = 1, .keeps_what_was_begun = true});
  fixture.run([](Fixture& f) -> Task<> {
    Fixture::send(*f.client, kTarget, "a");
    co_await Fixture::settle();
    Fixture::send(*f.client, kTarget, "b");
    co_await Fixture::settle();
    EXPECT_TRUE(f.b->pending());
    f.target.reset();
  });
  EXPECT_TRUE(fixture.error);
}

/// Always has a datagram to give.
class Flood final : public Datagram {
 public:
  explicit Flood(std::size_t limit) : left_(limit) {}
  IoResult try_receive(DatagramBatch& batch) override {
    batch.clear();
    if (left_ == 0) return IoResult::eof();
    --left_;
    batch.add({kClient, {}, as_bytes("x")});
    return IoResult::moved(1);
  }
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override { return {.sent = datagrams.size()}; }
  bool ready(Interest) const override { return true; }
  Wait*& waiting(Interest interest) override { return interest == Interest::read ? reader_ : writer_; }
  SocketAddress local() const override { return {}; }
  std::string layers() const override { return "flood"; }

 private:
  std::size_t left_;
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
};

TEST(DatagramRelay, LetsTheOthersOfItsLoopHaveTheirTurn) {
  Fixture fixture;
  fixture.a = std::make_unique<Flood>(1600);
  fixture.run([](Fixture& f) -> Task<> {
    int turns = 0;
    for (; !f.ended; ++turns) {
      f.receive(*f.target);
      co_await yield();
    }
    EXPECT_GE(turns, 100) << "at most 16 operations a turn";
  });
}

TEST(DatagramRelay, ABatchLargerThanOneSendIsPassedOnWhole) {
  Fixture fixture({.forth = {.to = kTarget}}, {.capacity = 1000});
  fixture.run([](Fixture& f) -> Task<> {
    for (int i = 0; i < 600; ++i) Fixture::send(*f.client, kClient, std::to_string(i));
    co_await Fixture::settle();
    Received got = f.receive(*f.target);
    EXPECT_EQ(got.size(), 600U);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].second, std::to_string(i));
    f.client.reset();
  });
}

}  // namespace
}  // namespace gost
