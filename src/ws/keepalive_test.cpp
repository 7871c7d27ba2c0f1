// Pings, and who is still alive.
#include "ws/testing/jealous.hpp"

#include <cerrno>

namespace gost::ws {
namespace {

using namespace std::chrono_literals;
using testing::Lone;
using testing::message;
using testing::OverJealous;
using testing::write_whole;

constexpr auto kWouldBlock = IoResult::Status::would_block;

TEST(WsKeepAlive, AClientPingsAndDataIsAsGoodAnAnswerAsAPong) {
  Lone lone(Role::client, {.ping_interval = 10s});
  lone.io.loop.run([](Lone& l) -> Task<> {
    for (int i = 0; i < 10; ++i) {
      co_await sleep_for(10s + 1ms);
      EXPECT_EQ(l.heard(), "ping ") << i;
      if (i % 2 == 0) l.put(Opcode::pong, "");
      if (i % 2 == 1) l.put(Opcode::binary, "data");
      EXPECT_EQ(l.get(), i % 2 == 0 ? "" : "data");
      EXPECT_EQ(l.last.status, kWouldBlock);
    }
  }(lone));
}

TEST(WsKeepAlive, APeerThatDoesNotAnswerEndsTheStreamAfterTwoIntervals) {
  for (Role role : {Role::client, Role::server}) {
    Lone lone(role, {.ping_interval = 10s});
    lone.get();
    lone.io.loop.run([](Lone& l) -> Task<> {
      TimePoint start = l.io.loop.now();
      Outcome outcome = co_await l.end->until(Interest::read);
      EXPECT_EQ(outcome, Outcome::ready);
      EXPECT_EQ(l.io.loop.now() - start, 20s);
    }(lone));
    lone.get();
    EXPECT_EQ(lone.last.error, ETIMEDOUT);
    EXPECT_TRUE(lone.error().ends_with("has not answered a ping for 20s")) << lone.error();
    EXPECT_EQ(lone.end->error(ETIMEDOUT).cause, Cause::timeout);
  }
}

/// How long a peer that says nothing is still borne with.
Task<Duration> patience(Lone& lone) {
  EXPECT_EQ(lone.get(), "");
  EXPECT_EQ(lone.last.status, kWouldBlock) << lone.error();
  lone.raw();
  const TimePoint start = lone.io.loop.now();
  EXPECT_EQ(co_await lone.end->until(Interest::read), Outcome::ready);
  lone.get();
  EXPECT_EQ(lone.last.error, ETIMEDOUT);
  co_return lone.io.loop.now() - start;
}

void expect_two_intervals(Duration patience) {
  EXPECT_GE(patience, 20s);
  EXPECT_LE(patience, 30s);
}

TEST(WsKeepAlive, PayloadThatArrivesIsASignOfLife) {
  for (Role role : {Role::client, Role::server}) {
    OverJealous lone(role, {.ping_interval = 10s}, {.capacity = 1'000});
    lone.io.loop.run([](OverJealous& l) -> Task<> {
      for (int i = 0; i < 20; ++i) {
        write_whole(*l.end, std::string(500, 'x'));
        l.below.on_the_way = 500;
        co_await sleep_for(7s);
        EXPECT_GT(l.raw().size(), 500U);
        l.below.on_the_way = 0;
      }
      expect_two_intervals(co_await patience(l));
    }(lone));
  }
}

TEST(WsKeepAlive, WhileAPingIsBehindPayloadNobodyCanAnswerIt) {
  OverJealous lone(Role::client, {.ping_interval = 10s});
  write_whole(*lone.end, "waits in the buffer of the socket");
  lone.below.on_the_way = 33;
  Lone full(Role::client, {.ping_interval = 10s}, {.capacity = 50});
  write_whole(*full.end, std::string(44, 'x'));
  Lone within(Role::client, {.ping_interval = 10s}, {.capacity = 50});
  EXPECT_EQ(within.end->try_write(as_bytes(std::string(60, 'x'))).bytes, 44U);
  lone.io.loop.run([](OverJealous& l) -> Task<> {
    co_await sleep_for(50s);
    l.below.on_the_way = 0;
    expect_two_intervals(co_await patience(l));
  }(lone));
  full.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(50s);
    EXPECT_EQ(l.get(), "");
    EXPECT_EQ(l.heard(), message(std::string(44, 'x')));
    co_await sleep_for(1s);
    EXPECT_TRUE(l.heard().starts_with("ping  | ping ")) << "as soon as there is room";
    expect_two_intervals(co_await patience(l));
  }(full));
  within.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(50s);
    EXPECT_EQ(l.get(), "");
    EXPECT_EQ(l.raw().size(), 50U);
    EXPECT_EQ(l.end->try_write(as_bytes(std::string(16, 'x'))).bytes, 16U);
    expect_two_intervals(co_await patience(l));
  }(within));
}

TEST(WsKeepAlive, PingsThatDoNotArriveThemselvesAreNoExcuse) {
  OverJealous lone(Role::client, {.ping_interval = 10s});
  lone.below.on_the_way = 6;
  lone.io.loop.run([](OverJealous& l) -> Task<> { EXPECT_EQ(co_await patience(l), 20s); }(lone));
}

TEST(WsKeepAlive, WhatNobodyReadsIsASignOfLifeAndAClosedStreamIsNotPinged) {
  Lone lone(Role::server, {.ping_interval = 10s});
  lone.put(Opcode::binary, "unread");
  Lone closed(Role::server, {.ping_interval = 10s});
  closed.put(Opcode::close, "");
  closed.get();
  lone.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(100s);
    EXPECT_EQ(l.get(), "unread");
  }(lone));
  closed.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(100s);
    EXPECT_EQ(l.heard(), "close ");
  }(closed));
}

}  // namespace
}  // namespace gost::ws
