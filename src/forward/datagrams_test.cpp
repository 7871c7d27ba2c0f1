#include "component/testing/script.hpp"
#include "forward/handler.hpp"
#include "net/memory_datagram.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gost::forward {
namespace {

using namespace std::chrono_literals;
using testing::DatagramScript;
using testing::Packet;

const SocketAddress kClient(IpAddress::v4({10, 0, 0, 1}), 1000);
const SocketAddress kListener(IpAddress::v4({10, 0, 0, 9}), 53);
const SocketAddress kTarget(IpAddress::v4({192, 0, 2, 1}), 53);

std::shared_ptr<const TargetList> targets(std::vector<Endpoint> addresses) {
  std::vector<TargetOptions> options;
  for (Endpoint& address : addresses) options.push_back({.name = address.host, .address = address, .candidate = {}});
  return std::make_shared<const TargetList>(std::move(options));
}

/// A session of one client; the test is the client and, through a script, the target.
struct Fixture {
  explicit Fixture(std::vector<Endpoint> addresses, Duration idle_timeout = Duration::zero())
      : handler({.router = router, .targets = targets(std::move(addresses)), .idle_timeout = idle_timeout}) {
    router->datagrams = script;
    auto [near, far] = make_memory_datagrams();
    client = std::move(far);
    session.emplace(io, nullptr, ConnectionRecord(loggers, "udp", kClient, kListener, Sid(), io.loop.now()));
    session->datagram = std::move(near);
  }

  Task<> serve() {
    outcome = co_await handler.handle(*session);
    ended = true;
  }
  void run(std::function<Task<>(Fixture&)> test) {
    io.loop.run([](Fixture& fixture, std::function<Task<>(Fixture&)> body) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(fixture.serve());
      co_await body(fixture);
      co_await group.join();
    }(*this, std::move(test)));
  }
  void say(const std::string& payload) {
    std::vector<OutgoingDatagram> one{{.peer = kClient, .name = {}, .head = {}, .payload = as_bytes(payload)}};
    client->try_send(one);
  }
  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }

  IoContext io{Loop::Time::simulated};
  ConnectionLoggers loggers;
  std::shared_ptr<DatagramScript> script = std::make_shared<DatagramScript>();
  std::shared_ptr<testing::ScriptedRouter> router = std::make_shared<testing::ScriptedRouter>();
  ForwardHandler handler;
  std::unique_ptr<Datagram> client;
  std::optional<Session> session;
  Result<> outcome;
  bool ended = false;
};

TEST(ForwardDatagrams, PassesQuestionsAndAnyNumberOfAnswers) {
  Fixture fixture({{"192.0.2.1", 53}});
  fixture.run([](Fixture& f) -> Task<> {
    f.say("question");
    co_await Fixture::settle();
    EXPECT_EQ(f.script->take(), (std::vector<Packet>{{kTarget, "", "question"}}));
    for (const char* answer : {"one", "two", "three"}) f.script->put({kTarget, "", answer});
    co_await Fixture::settle();
    DatagramBatch batch;
    std::string answers;
    while (f.client->try_receive(batch).status == IoResult::Status::ok)
      for (const ReceivedDatagram& it : batch.items()) {
        EXPECT_EQ(it.peer, kClient);
        answers += std::string(as_text(it.payload)) + " ";
      }
    EXPECT_EQ(answers, "one two three ");
    EXPECT_FALSE(f.ended);
    f.client.reset();
  });
  EXPECT_TRUE(fixture.outcome);
  EXPECT_EQ(fixture.session->datagrams.from_client, 1U);
  EXPECT_EQ(fixture.session->datagrams.to_client, 3U);
  EXPECT_EQ(fixture.session->bytes.from_a, 8U);
  EXPECT_EQ(fixture.session->bytes.from_b, 11U);
}

TEST(ForwardDatagrams, ANameIsLookedUpOnce) {
  Fixture fixture({{"dns.example", 53}});
  fixture.router->names["dns.example"] = kTarget.ip();
  fixture.run([](Fixture& f) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      f.say("x");
      co_await Fixture::settle();
    }
    EXPECT_EQ(f.script->take(), std::vector<Packet>(3, {kTarget, "", "x"}));
    f.client.reset();
  });
  EXPECT_EQ(fixture.router->looked_up, std::vector<std::string>{"dns.example"});
}

TEST(ForwardDatagrams, ATargetWhoseNameDoesNotExistIsReplaced) {
  Fixture fixture({{"unknown.example", 53}, {"192.0.2.1", 53}});
  fixture.run([](Fixture& f) -> Task<> {
    f.say("x");
    co_await Fixture::settle();
    EXPECT_EQ(f.script->take(), (std::vector<Packet>{{kTarget, "", "x"}}));
    f.client.reset();
  });
  EXPECT_TRUE(fixture.outcome);
  EXPECT_EQ(fixture.session->record.target(), (Endpoint{"192.0.2.1", 53}));
}

TEST(ForwardDatagrams, AWayThatCannotBeOpenedIsTheError) {
  Fixture fixture({{"192.0.2.1", 53}});
  fixture.router->error = Error{Cause::refused, "hop-0/node-0: connection refused"};
  for (const char* payload : {"one", "two"}) fixture.say(payload);
  fixture.run([](Fixture&) -> Task<> { co_return; });
  ASSERT_FALSE(fixture.outcome);
  EXPECT_EQ(fixture.outcome.error().text, "hop-0/node-0: connection refused");
  EXPECT_EQ(fixture.session->datagrams.from_client, 2U) << "what had come is counted";
  EXPECT_EQ(fixture.session->datagrams.dropped, 2U);
}

TEST(ForwardDatagrams, AForbiddenTargetIsNotEvenLookedUp) {
  Fixture fixture({{"dns.example", 53}});
  fixture.router->forbidden.insert("dns.example");
  fixture.run([](Fixture&) -> Task<> { co_return; });
  ASSERT_FALSE(fixture.outcome);
  EXPECT_EQ(fixture.outcome.error().cause, Cause::denied);
  EXPECT_EQ(fixture.outcome.error().text, "bypass: dns.example:53");
  EXPECT_TRUE(fixture.router->looked_up.empty());
}

TEST(ForwardDatagrams, TheEndOfTheWayEndsTheSessionWithoutBeingAFailureOfTheHandler) {
  Fixture fixture({{"192.0.2.1", 53}});
  fixture.run([](Fixture& f) -> Task<> {
    co_await Fixture::settle();
    f.script->end();
  });
  EXPECT_TRUE(fixture.outcome);
}

TEST(ForwardDatagrams, AnIdleSessionEndsWhereThatIsWanted) {
  Fixture fixture({{"192.0.2.1", 53}}, 30s);
  fixture.run([](Fixture& f) -> Task<> {
    co_await sleep_for(20s);
    f.say("x");
    co_await sleep_for(29s);
    EXPECT_FALSE(f.ended);
    co_await sleep_for(2s);
    EXPECT_TRUE(f.ended);
  });
}

TEST(ForwardDatagrams, WhatCannotBeSentIsCountedAndHarmsNothingElse) {
  Fixture fixture({{"192.0.2.1", 53}});
  fixture.run([](Fixture& f) -> Task<> {
    f.script->send_error = ENETUNREACH;
    f.say("lost");
    co_await Fixture::settle();
    f.script->send_error = 0;
    f.say("x");
    co_await Fixture::settle();
    EXPECT_EQ(f.script->take(), (std::vector<Packet>{{kTarget, "", "x"}}));
    f.client.reset();
  });
  EXPECT_EQ(fixture.session->datagrams.from_client, 2U);
  EXPECT_EQ(fixture.session->datagrams.dropped, 1U);
}

}  // namespace
}  // namespace gost::forward
