#include "udp/demux.hpp"

#include "runtime/task_group.hpp"
#include "udp/testing/kept_sessions.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::client_address;
using testing::receive_all;
using testing::receive_texts;
using testing::send_to;
using Texts = std::vector<std::string>;

struct Fixture {
  explicit Fixture(DemuxOptions demux_options = {}, const MemoryDatagramOptions& memory = {})
      : options(demux_options) {
    std::tie(below, clients) = make_memory_datagrams(memory);
    demux.emplace(io, *below, sink, options, limits);
  }

  Task<> serve() {
    ended_with = co_await demux->run();
    demux.reset();
  }

  /// Runs the demultiplexer beside the test, then stops it.
  void run(std::function<Task<>(Fixture&)> test) {
    io.loop.run([](Fixture& fixture, std::function<Task<>(Fixture&)> body) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(fixture.serve());
      co_await body(fixture);
      group.stop();
      co_await group.join();
      fixture.sink.sessions.clear();
    }(*this, std::move(test)));
  }

  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }
  Task<> client_sends(std::uint8_t number, const std::string& payload) {
    send_to(*clients, client_address(number), payload);
    co_await settle();
  }
  Datagram& session(std::size_t number) { return *sink.sessions.at(number).datagrams; }
  Texts read(std::size_t number) { return receive_texts(session(number), batch); }
  bool over(std::size_t number) { return session(number).try_receive(batch).status == IoResult::Status::eof; }

  IoContext io{Loop::Time::simulated};
  DemuxOptions options;
  std::shared_ptr<SessionLimits> limits = std::make_shared<SessionLimits>();
  testing::KeptSessions sink;
  std::unique_ptr<Datagram> below;
  std::unique_ptr<Datagram> clients;
  std::optional<UdpDemux> demux;
  std::optional<Error> ended_with;
  DatagramBatch batch;
};

TEST(UdpDemux, EachSourceIsASessionOfItsOwn) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    send_to(*f.clients, client_address(1), "a");
    send_to(*f.clients, client_address(2), "b");
    send_to(*f.clients, client_address(1), "c");
    co_await Fixture::settle();
    EXPECT_EQ(f.sink.sessions.size(), 2U);
    EXPECT_EQ(f.sink.sessions[0].peer, client_address(1));
    EXPECT_EQ(f.read(0), (Texts{"a", "c"}));
    EXPECT_EQ(f.read(1), Texts{"b"});
    co_await f.client_sends(2, "d");
    EXPECT_EQ(f.sink.sessions.size(), 2U);
    EXPECT_EQ(f.read(1), Texts{"d"});
  });
}

TEST(UdpDemux, ThePortIsPartOfTheSourceAndSoIsAName) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    SocketAddress one = client_address(1);
    SocketAddress other(one.ip(), 9);
    send_to(*f.clients, one, "one");
    send_to(*f.clients, other, "other");
    send_to(*f.clients, one, "named", "host");
    co_await Fixture::settle();
    EXPECT_EQ(f.sink.sessions.size(), 3U);
    send_to(f.session(2), {}, "answer");
    EXPECT_EQ(f.clients->try_receive(f.batch).bytes, 6U);
    EXPECT_EQ(f.batch.items()[0].name, "host");
  });
}

TEST(UdpDemux, AnswersGoToTheClientWhateverAddressTheyName) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "question");
    EXPECT_EQ(send_to(f.session(0), client_address(7), "answer").sent, 1U);
    EXPECT_EQ(send_to(f.session(0), {}, "another").sent, 1U) << "a session survives its first answer";
    auto received = receive_all(*f.clients, f.batch);
    EXPECT_EQ(received.size(), 2U);
    for (auto& [peer, text] : received) EXPECT_EQ(peer, client_address(1));
  });
}

TEST(UdpDemux, MoreDatagramsThanOneSendTakesReachTheClient) {
  Fixture fixture({}, {.capacity = 1000});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "question");
    std::vector<OutgoingDatagram> many(200, {.peer = {}, .name = {}, .head = {}, .payload = as_bytes("x")});
    EXPECT_EQ(f.session(0).try_send(many).sent, 200U);
    EXPECT_EQ(receive_all(*f.clients, f.batch).size(), 200U);
  });
}

TEST(UdpDemux, ASessionEndsTtlAfterItsLastDatagramEitherWay) {
  Fixture fixture({.ttl = 5s});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    f.read(0);
    co_await sleep_for(4s);
    co_await f.client_sends(1, "b");
    f.read(0);
    co_await sleep_for(4s);
    send_to(f.session(0), {}, "answer");
    co_await sleep_for(4999ms);
    EXPECT_FALSE(f.over(0));
    EXPECT_EQ(f.demux->sessions(), 1U);
    co_await sleep_for(2ms);
    EXPECT_TRUE(f.over(0));
    EXPECT_EQ(f.demux->sessions(), 0U);
    EXPECT_EQ(send_to(f.session(0), {}, "too late").sent, 0U);
    co_await f.client_sends(1, "again");
    EXPECT_EQ(f.sink.sessions.size(), 2U) << "the next datagram opens a new session";
  });
}

TEST(UdpDemux, TheTimeBeginsWithTheFirstReceive) {
  Fixture fixture({.ttl = 5s});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    co_await sleep_for(14s);
    EXPECT_EQ(f.read(0), Texts{"a"}) << "the way to the target was slow to open";
    co_await sleep_for(4s);
    EXPECT_FALSE(f.over(0));
    co_await sleep_for(2s);
    EXPECT_TRUE(f.over(0));
  });
}

Task<> note_outcome(Datagram& end, Interest interest, std::optional<Outcome>& outcome) {
  outcome = co_await end.until(interest);
}

TEST(UdpDemux, AWaitingHandlerIsWokenByDatagramsAndByTheEnd) {
  Fixture fixture({.ttl = 5s});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    f.read(0);
    TaskGroup group(co_await this_scope());
    std::optional<Outcome> outcome;
    group.spawn(note_outcome(f.session(0), Interest::read, outcome));
    co_await Fixture::settle();
    EXPECT_FALSE(outcome);
    co_await f.client_sends(1, "b");
    EXPECT_TRUE(outcome);
    f.read(0);
    outcome.reset();
    group.spawn(note_outcome(f.session(0), Interest::read, outcome));
    co_await group.join();
    EXPECT_TRUE(f.over(0));
  });
}

TEST(UdpDemux, TooLongDatagramsAreDroppedCountedAndToldOncePerSession) {
  Fixture fixture({.longest = 4});
  fixture.run([](Fixture& f) -> Task<> {
    for (const char* payload : {"1234", "12345", "123456", "x"}) co_await f.client_sends(1, payload);
    EXPECT_EQ(f.read(0), (Texts{"1234", "x"}));
    EXPECT_EQ(f.session(0).discarded(), 2U);
    EXPECT_EQ(
        f.sink.warnings,
        Texts{"10.0.0.1:1001: dropped a datagram of 5 bytes, longer than 4 (option readBufferSize); further ones of "
              "this client are only counted"});
    co_await f.client_sends(2, "12345");
    EXPECT_EQ(f.sink.sessions.size(), 1U) << "nothing of it could be passed on, so it opens no session";
    EXPECT_EQ(f.sink.failures, Texts{"dropped a datagram of 5 bytes, longer than 4 (option readBufferSize)"});
  });
}

TEST(UdpDemux, AFullQueueDropsAndHarmsNoOtherSession) {
  Fixture fixture({.queue_size = 3});
  fixture.run([](Fixture& f) -> Task<> {
    for (const char* payload : {"a", "b", "c", "d"}) co_await f.client_sends(1, payload);
    co_await f.client_sends(2, "other");
    EXPECT_EQ(f.read(0), (Texts{"a", "b", "c"}));
    EXPECT_EQ(f.session(0).discarded(), 1U);
    EXPECT_EQ(f.read(1), Texts{"other"});
    co_await f.client_sends(1, "e");
    EXPECT_EQ(f.read(0), Texts{"e"});
  });
}

TEST(UdpDemux, WhoReadsLosesNothingOfABurst) {
  Fixture fixture({.queue_size = 3});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "first");
    EXPECT_EQ(f.read(0), Texts{"first"});
    for (int round = 0; round < 2; ++round) {
      Texts burst;
      for (char name = 'a'; name < 'k'; ++name) burst.emplace_back(1, name);
      for (const std::string& payload : burst) send_to(*f.clients, client_address(1), payload);
      co_await Fixture::settle();
      EXPECT_EQ(f.read(0), burst);
    }
    EXPECT_EQ(f.session(0).discarded(), 0U);
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 10; ++i) send_to(*f.clients, client_address(1), "x");
      co_await Fixture::settle();
    }
    EXPECT_EQ(f.read(0).size(), 10U) << "what is left waiting is bounded";
    EXPECT_EQ(f.session(0).discarded(), 10U);
  });
}

/// Reads as a handler does, whenever there is something.
Task<> count_all(Datagram& session, DatagramBatch& batch, std::size_t& count) {
  while (co_await session.until(Interest::read) == Outcome::ready) {
    IoResult got = session.try_receive(batch);
    if (got.status == IoResult::Status::ok) count += batch.items().size();
  }
}

TEST(UdpDemux, AReaderHasItsTurnBetweenReceives) {
  // One receive brings at most two, and all of them are there at once.
  Fixture fixture({.queue_size = 3}, {.capacity = 100, .receive_at_most = 2});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "first");
    std::size_t count = 0;
    TaskGroup group(co_await this_scope());
    group.spawn(count_all(f.session(0), f.batch, count));
    for (int i = 0; i < 100; ++i) send_to(*f.clients, client_address(1), "x");
    for (int turn = 0; turn < 200; ++turn) co_await yield();
    EXPECT_EQ(count, 101U);
    group.stop();
    co_await group.join();
  });
}

TEST(UdpDemux, TheBytesOfAllQueuesTogetherAreBounded) {
  Fixture fixture({.max_queued_bytes = 10});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "123456");
    co_await f.client_sends(2, "12345");
    co_await f.client_sends(2, "1234");
    EXPECT_EQ(f.read(1), Texts{"1234"});
    co_await f.client_sends(2, "wxyz");
    EXPECT_EQ(f.read(1), Texts{"wxyz"}) << "what was read makes room";
    f.sink.sessions.erase(f.sink.sessions.begin());
    co_await f.client_sends(2, "1234567890");
    EXPECT_EQ(f.read(0), Texts{"1234567890"}) << "and so does a session that ends";
  });
}

TEST(UdpDemux, SessionsThatNobodyReadsYetAreLimitedByTheBacklog) {
  Fixture fixture;
  fixture.limits->backlog = 2;
  fixture.run([](Fixture& f) -> Task<> {
    for (std::uint8_t number = 1; number <= 3; ++number) co_await f.client_sends(number, "x");
    EXPECT_EQ(f.sink.sessions.size(), 2U);
    EXPECT_EQ(
        f.sink.failures,
        Texts{"dropped a datagram of a new client: 2 sessions wait for their way to the target (option backlog)"});
    f.read(0);
    co_await f.client_sends(3, "x");
    EXPECT_EQ(f.sink.sessions.size(), 3U);
    f.sink.sessions.pop_back();
    co_await f.client_sends(4, "x");
    EXPECT_EQ(f.sink.sessions.size(), 3U) << "a session that ends unread makes room as well";
  });
}

TEST(UdpDemux, OpenSessionsAreLimited) {
  Fixture fixture({.ttl = 5s});
  fixture.limits->max_open = 2;
  fixture.run([](Fixture& f) -> Task<> {
    for (std::uint8_t number = 1; number <= 3; ++number) co_await f.client_sends(number, "x");
    EXPECT_EQ(f.sink.sessions.size(), 2U);
    EXPECT_EQ(f.sink.failures, Texts{"dropped a datagram of a new client: 2 sessions are open (option maxSessions)"});
    co_await f.client_sends(1, "y");
    EXPECT_EQ(f.read(0), (Texts{"x", "y"})) << "those that are open go on";
    f.sink.sessions.pop_back();
    co_await f.client_sends(3, "x");
    EXPECT_EQ(f.sink.sessions.size(), 2U);
  });
  EXPECT_EQ(fixture.limits->open, 0U);
  EXPECT_EQ(fixture.limits->unread, 0U);
}

TEST(UdpDemux, AStopEndsTheSessionsBehindWhatIsQueued) {
  Fixture fixture;
  fixture.io.loop.run([](Fixture& f) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(f.serve());
    co_await f.client_sends(1, "a");
    TaskGroup waiting(co_await this_scope());
    group.stop();
    co_await group.join();
    EXPECT_FALSE(f.ended_with);
    EXPECT_EQ(f.read(0), Texts{"a"});
    EXPECT_TRUE(f.over(0));
    EXPECT_FALSE(f.session(0).pending());
    EXPECT_EQ(send_to(f.session(0), {}, "x").dropped, 1U);
    co_await waiting.join();
  }(fixture));
}

TEST(UdpDemux, TheEndOfTheWayBelowIsAnError) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    f.clients.reset();
    co_await Fixture::settle();
    EXPECT_TRUE(f.ended_with);
    EXPECT_EQ(f.read(0), Texts{"a"});
    EXPECT_TRUE(f.over(0));
  });
}

TEST(UdpDemux, WhatATunnelKeepsIsFlushedForEverySession) {
  Fixture fixture({}, {.capacity = 1, .keeps_what_was_begun = true});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    co_await f.client_sends(2, "b");
    send_to(f.session(0), {}, "1");
    send_to(f.session(0), {}, "2");
    EXPECT_TRUE(f.session(0).pending());
    EXPECT_TRUE(f.session(1).pending()) << "the way is one";
    TaskGroup group(co_await this_scope());
    std::optional<Outcome> first;
    std::optional<Outcome> second;
    EXPECT_EQ(f.session(0).try_flush().status, IoResult::Status::would_block);
    EXPECT_EQ(f.session(1).try_flush().status, IoResult::Status::would_block);
    group.spawn(note_outcome(f.session(0), Interest::write, first));
    group.spawn(note_outcome(f.session(1), Interest::write, second));
    co_await Fixture::settle();
    EXPECT_FALSE(first);
    EXPECT_FALSE(second);
    EXPECT_EQ(receive_texts(*f.clients, f.batch), Texts{"1"});
    co_await group.join();
    EXPECT_FALSE(f.session(0).pending());
    EXPECT_EQ(receive_texts(*f.clients, f.batch), Texts{"2"});
    send_to(f.session(1), {}, "3");
    EXPECT_EQ(receive_texts(*f.clients, f.batch), Texts{"3"});
  });
}

TEST(UdpDemux, ASessionMayGoWhileItWaitsForTheFlush) {
  Fixture fixture({}, {.capacity = 1, .keeps_what_was_begun = true});
  fixture.run([](Fixture& f) -> Task<> {
    co_await f.client_sends(1, "a");
    send_to(f.session(0), {}, "1");
    send_to(f.session(0), {}, "2");
    f.session(0).try_flush();
    f.sink.sessions.clear();
    EXPECT_EQ(receive_texts(*f.clients, f.batch), Texts{"1"});
    co_await Fixture::settle();
    EXPECT_EQ(receive_texts(*f.clients, f.batch), Texts{"2"});
    f.clients.reset();
    co_await Fixture::settle();
  });
}

TEST(UdpDemux, AHundredThousandSessionsThatComeAndGoLeaveNothing) {
  Fixture fixture({.ttl = 5s}, {.capacity = 256});
  fixture.run([](Fixture& f) -> Task<> {
    for (std::uint32_t round = 0; round < 1000; ++round) {
      for (std::uint32_t i = 0; i < 100; ++i) {
        std::uint32_t number = round * 100 + i;
        IpAddress ip = IpAddress::v4({10, static_cast<std::uint8_t>(number >> 16),
                                      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
        send_to(*f.clients, SocketAddress(ip, 53), "x");
      }
      co_await Fixture::settle();
      EXPECT_EQ(f.sink.sessions.size(), 100U);
      if (round % 2 == 0) {
        for (auto& kept : f.sink.sessions) kept.datagrams->try_receive(f.batch);
        co_await sleep_for(6s);
        EXPECT_EQ(f.demux->sessions(), 0U);
      }
      f.sink.sessions.clear();
    }
    EXPECT_EQ(f.demux->sessions(), 0U);
    EXPECT_EQ(f.limits->open, 0U);
    EXPECT_EQ(f.limits->unread, 0U);
  });
}

}  // namespace
}  // namespace gost
