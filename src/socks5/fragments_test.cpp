#include "socks5/fragments.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <optional>
#include <vector>

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;

struct Sent {
  std::uint8_t fragment;
  std::uint8_t to = 0;  ///< the port that tells destinations apart
  std::string payload;
  Duration at = 0s;
};

std::optional<Fragments::Whole> send(Fragments& fragments, const Sent& sent) {
  UdpHeader header{.fragment = sent.fragment, .address = {SocketAddress(IpAddress(), sent.to), "host"}};
  return fragments.input(header, as_bytes(sent.payload), TimePoint(sent.at));
}

std::string text(const Fragments::Whole& whole) {
  return std::string(as_text(whole.payload));
}

TEST(Fragments, InOrderTheyMakeADatagram) {
  Fragments fragments;
  EXPECT_FALSE(send(fragments, {1, 7, "one "}));
  EXPECT_FALSE(send(fragments, {2, 7, "two "}));
  auto whole = send(fragments, {0x83, 7, "three"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(text(*whole), "one two three");
  EXPECT_EQ(whole->peer.port(), 7);
  EXPECT_EQ(whole->name, "host");
  EXPECT_EQ(fragments.dropped(), 0U);
  EXPECT_FALSE(fragments.next_timeout());
}

TEST(Fragments, ASingleFragmentThatIsTheLastIsADatagram) {
  Fragments fragments;
  auto whole = send(fragments, {0x81, 0, "all"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(text(*whole), "all");
}

TEST(Fragments, APositionThatIsNotTheNextGivesTheDatagramUp) {
  constexpr std::array<std::uint8_t, 5> kWrong{0x83, 0x80, 0x03, 0x7f, 0xff};
  for (std::uint8_t wrong : kWrong) {
    Fragments fragments;
    send(fragments, {1, 0, "a"});
    EXPECT_FALSE(send(fragments, {wrong, 0, "b"})) << int{wrong};
    EXPECT_FALSE(send(fragments, {0x83, 0, "c"})) << int{wrong};
    EXPECT_GE(fragments.dropped(), 2U);
  }
}

TEST(Fragments, TheFirstPositionAlwaysBeginsAnew) {
  Fragments fragments;
  send(fragments, {1, 0, "old"});
  send(fragments, {1, 0, "new "});
  auto whole = send(fragments, {0x82, 0, "one"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(text(*whole), "new one");
  EXPECT_EQ(fragments.dropped(), 1U);
}

TEST(Fragments, FragmentsForAnotherDestinationDoNotMix) {
  Fragments fragments;
  send(fragments, {1, 1, "a"});
  EXPECT_FALSE(send(fragments, {0x82, 2, "b"}));
  EXPECT_EQ(fragments.dropped(), 2U);
}

TEST(Fragments, AfterFiveSecondsTheFirstIsForgotten) {
  Fragments fragments;
  send(fragments, {1, 0, "a", 10s});
  EXPECT_EQ(fragments.next_timeout(), TimePoint(15s));
  send(fragments, {2, 0, "b", 14s});
  EXPECT_EQ(fragments.next_timeout(), TimePoint(15s)) << "the timer runs from the first fragment";
  EXPECT_TRUE(send(fragments, {0x83, 0, "c", 15s - 1ns}));

  send(fragments, {1, 0, "a", 20s});
  EXPECT_FALSE(send(fragments, {0x82, 0, "b", 25s}));
  EXPECT_EQ(fragments.dropped(), 2U);
  send(fragments, {1, 0, "a", 30s});
  fragments.expire(TimePoint(35s));
  EXPECT_FALSE(fragments.next_timeout());
}

TEST(Fragments, NoDatagramIsLongerThanTheLimit) {
  Fragments fragments(5);
  send(fragments, {1, 0, "abc"});
  EXPECT_TRUE(send(fragments, {0x82, 0, "de"}));
  send(fragments, {1, 0, "abc"});
  EXPECT_FALSE(send(fragments, {2, 0, "def"}));
  EXPECT_FALSE(fragments.next_timeout()) << "its memory is given back";
  EXPECT_EQ(fragments.dropped(), 2U);
}

TEST(Fragments, ThereAreAtMost127) {
  Fragments fragments;
  for (int position = 1; position < 127; ++position) send(fragments, {static_cast<std::uint8_t>(position), 0, "x"});
  auto whole = send(fragments, {0xff, 0, "x"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->payload.size(), 127U);
  for (int position = 1; position <= 127; ++position) send(fragments, {static_cast<std::uint8_t>(position), 0, "x"});
  EXPECT_FALSE(send(fragments, {0x80, 0, "x"})) << "there is no position 128";
}

/// What RFC 1928 §7 says, looked up in the history: the datagram that the last fragment of it completes.
std::optional<std::string> expected(const std::vector<Sent>& history, std::size_t limit) {
  std::string payload;
  std::size_t position = history.back().fragment & 0x7f;
  if (history.back().fragment < 0x81 || position > history.size()) return std::nullopt;
  std::size_t first = history.size() - position;
  for (std::size_t i = first; i < history.size(); ++i) {
    std::size_t wanted = i - first + 1;
    if ((history[i].fragment & 0x7f) != wanted || history[i].to != history[first].to) return std::nullopt;
    if (i + 1 < history.size() && history[i].fragment >= 0x80) return std::nullopt;
    payload += history[i].payload;
  }
  if (history.back().at - history[first].at >= 5s || payload.size() > limit) return std::nullopt;
  return payload;
}

RC_GTEST_PROP(Fragments, WhateverComesOnlyRunsOfNeighboursBecomeDatagrams, ()) {
  constexpr std::size_t kLimit = 12;
  Fragments fragments(kLimit);
  std::vector<Sent> history;
  std::uint64_t used = 0;
  int count = *rc::gen::inRange(1, 60);
  for (int i = 0; i < count; ++i) {
    // Mostly the next position, so that long runs happen.
    auto next = history.empty() ? 1 : (history.back().fragment & 0x7f) + 1;
    int position = *rc::gen::weightedOneOf<int>({{6, rc::gen::just(next & 0x7f)}, {2, rc::gen::inRange(0, 4)}});
    int last = *rc::gen::weightedElement<int>({{3, 0}, {1, 0x80}});
    Duration at = history.empty() ? 0s : history.back().at;
    at += *rc::gen::weightedElement<std::int64_t>({{5, 0}, {2, 1}, {1, 3}}) * 1s;
    auto fragment = static_cast<std::uint8_t>(position | last);
    if (fragment == 0) continue;
    history.push_back({fragment, *rc::gen::weightedElement<std::uint8_t>({{9, 1}, {1, 2}}),
                       std::string(*rc::gen::inRange<std::size_t>(0, 6), static_cast<char>('a' + i % 26)), at});
    auto whole = send(fragments, history.back());
    auto wanted = expected(history, kLimit);
    RC_ASSERT(whole.has_value() == wanted.has_value());
    if (!whole) continue;
    RC_ASSERT(text(*whole) == *wanted);
    used += history.back().fragment & 0x7f;
  }
  fragments.expire(TimePoint::max());
  RC_ASSERT(fragments.dropped() + used == history.size());
}

}  // namespace
}  // namespace gost::socks5
