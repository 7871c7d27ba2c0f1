#include "mux/send_turns.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace gost {
namespace {

/// Streams a, b, c, … that want turns.
struct Streams {
  SendTurns turns;
  std::array<SendTurn, 6> all;

  SendTurn& operator[](char name) { return all[static_cast<std::size_t>(name - 'a')]; }
  std::string grant(std::size_t most) {
    std::string names;
    turns.grant(most, [&](SendTurn& turn) { names += static_cast<char>('a' + (&turn - all.data())); });
    return names;
  }
  void wait(const std::string& names) {
    for (char name : names) turns.wait((*this)[name]);
  }
};

TEST(SendTurns, WhoIsAloneNeedsNone) {
  Streams streams;
  EXPECT_TRUE(streams.turns.may_send(streams['a']));
  streams.wait("b");
  EXPECT_FALSE(streams.turns.may_send(streams['a'])) << "b was first";
  EXPECT_FALSE(streams.turns.may_send(streams['b'])) << "not granted yet";
  streams.turns.done(streams['b']);
  EXPECT_TRUE(streams.turns.may_send(streams['a']));
}

TEST(SendTurns, GoRound) {
  Streams streams;
  streams.wait("abc");
  std::string order;
  for (int i = 0; i < 7; ++i) {
    std::string next = streams.grant(1);
    order += next;
    streams.turns.done(streams[next[0]]);
    streams.wait(next);
    streams.turns.revoke();
  }
  EXPECT_EQ(order, "abcabca");
}

TEST(SendTurns, WaitingTwiceIsWaitingOnce) {
  Streams streams;
  streams.wait("aab");
  EXPECT_EQ(streams.grant(6), "ab");
}

TEST(SendTurns, ATurnThatCouldNotBeUsedStaysInFront) {
  Streams streams;
  streams.wait("abcd");
  EXPECT_EQ(streams.grant(2), "ab");
  streams.turns.done(streams['a']);
  streams.wait("ab");  // a for more, b because it was blocked
  streams.turns.revoke();
  EXPECT_EQ(streams.grant(2), "bc");
}

TEST(SendTurns, ATurnThatIsNotUsedIsLost) {
  Streams streams;
  streams.wait("abc");
  EXPECT_EQ(streams.grant(2), "ab");
  streams.turns.revoke();
  EXPECT_EQ(streams.grant(2), "c");
  EXPECT_FALSE(streams.turns.may_send(streams['a']));
  streams.turns.revoke();
  EXPECT_TRUE(streams.turns.empty());
}

}  // namespace
}  // namespace gost
