#include "mux/yamux_machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace gost {
namespace {

using namespace std::chrono_literals;
using namespace yamux_flag;

constexpr TimePoint kStart{};
constexpr std::uint32_t kWindow = kYamuxFirstWindow;

/// A machine, with hex for what goes in and comes out.
struct Peer {
  YamuxMachine machine;
  explicit Peer(const YamuxOptions& options = {}, MuxSide side = MuxSide::server) : machine(options, side, kStart) {}

  Result<> in(const std::string& hex) { return machine.input(from_hex(hex).value()); }
  std::string out(std::size_t at_most = 4096) {
    std::vector<std::uint8_t> bytes(at_most);
    return to_hex(Bytes(bytes).first(machine.take_control(bytes)));
  }
  std::unique_ptr<MuxMachineStream> accepted() {
    auto all = machine.take_accepted();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? nullptr : std::move(all.front());
  }
  /// A stream of the peer that we have accepted.
  std::unique_ptr<MuxMachineStream> established(std::uint32_t id);
  std::string why(const std::string& hex) {
    auto taken = in(hex);
    return taken ? "" : taken.error().text;
  }
};

std::string frame(YamuxType type, int flags, std::uint32_t id, std::size_t length = 0) {
  return to_hex(
      encode_yamux_header({type, static_cast<std::uint16_t>(flags), id, static_cast<std::uint32_t>(length)}));
}

std::string update(int flags, std::uint32_t id, std::size_t delta = 0) {
  return frame(YamuxType::window_update, flags, id, delta);
}

/// Data: `count` times the letter a.
std::string push(std::uint32_t id, std::size_t count, int flags = 0) {
  std::string hex = frame(YamuxType::data, flags, id, count);
  for (std::size_t i = 0; i < count; ++i) hex += "61";
  return hex;
}

std::unique_ptr<MuxMachineStream> Peer::established(std::uint32_t id) {
  EXPECT_TRUE(in(update(kSyn, id)));
  EXPECT_EQ(out(), update(kAck, id));
  return accepted();
}

std::size_t read(MuxMachineStream& stream, std::size_t at_most = 1'000'000) {
  std::vector<std::uint8_t> bytes(at_most);
  IoResult got = stream.read(bytes, kStart);
  return got.status == IoResult::Status::ok ? got.bytes : 0;
}

/// "nothing", "eof" or an errno.
std::string status(MuxMachineStream& stream) {
  std::array<std::uint8_t, 16> bytes;
  IoResult got = stream.read(bytes, kStart);
  switch (got.status) {
  case IoResult::Status::ok: return "bytes";
  case IoResult::Status::would_block: return "nothing";
  case IoResult::Status::eof: return "eof";
  case IoResult::Status::error: return std::to_string(got.error);
  }
  return "";
}

struct Told final : MuxObserver {
  int to_read = 0;
  int to_write = 0;
  int end = 0;
  void readable() override { ++to_read; }
  void writable() override { ++to_write; }
  void ended() override { ++end; }
};

TEST(YamuxMachine, AStreamOfThePeerIsAcceptedWithItsBytes) {
  Peer peer;
  // A SYN may come with data, though the library sends it alone.
  ASSERT_TRUE(peer.in(push(1, 3, kSyn)));
  auto stream = peer.accepted();
  EXPECT_EQ(stream->id(), 1U);
  EXPECT_EQ(peer.machine.streams(), 1U);
  EXPECT_EQ(peer.out(), update(kAck, 1));
  EXPECT_EQ(read(*stream, 2), 2U);
  EXPECT_EQ(read(*stream, 2), 1U);
  EXPECT_EQ(status(*stream), "nothing");
  EXPECT_EQ(peer.out(), "");
  EXPECT_EQ(to_hex(stream->header(5).view()), frame(YamuxType::data, 0, 1, 5));
}

TEST(YamuxMachine, EveryCutOfTheInputIsTheSame) {
  auto bytes = from_hex(update(kSyn, 1) + push(1, 3) + update(0, 1, 100) + frame(YamuxType::ping, kSyn, 0, 9) +
                        push(1, 2, kFin))
                   .value();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Peer peer;
    ASSERT_TRUE(peer.machine.input(Bytes(bytes).first(cut)));
    ASSERT_TRUE(peer.machine.input(Bytes(bytes).subspan(cut)));
    EXPECT_FALSE(peer.machine.within_frame());
    auto stream = peer.accepted();
    EXPECT_EQ(stream->sendable(), kWindow + 100);
    EXPECT_EQ(read(*stream), 5U);
    EXPECT_EQ(status(*stream), "eof");
    EXPECT_EQ(peer.out(), frame(YamuxType::ping, kAck, 0, 9) + update(kAck, 1, 5)) << "with what has been read";
  }
}

TEST(YamuxMachine, TheEndThatADataFrameCarriesComesBehindItsBytes) {
  Peer peer;
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(frame(YamuxType::data, kFin, 1, 2) + "61"));
  EXPECT_TRUE(peer.machine.within_frame());
  EXPECT_EQ(read(*stream), 1U);
  EXPECT_EQ(status(*stream), "nothing");
  ASSERT_TRUE(peer.in("62"));
  EXPECT_EQ(read(*stream), 1U);
  EXPECT_EQ(status(*stream), "eof");
}

TEST(YamuxMachine, WhatThePeerMustNotDoEndsTheSessionForGoodAndIsToldToIt) {
  const std::pair<std::string, const char*> wrongs[] = {
      {update(kSyn, 1), "yamux: the peer opened stream 1 twice"},
      {push(1, 1, kSyn), "yamux: the peer opened stream 1 twice"},
      {frame(YamuxType::data, 0, 1, kWindow + 1), "yamux: the peer sent more on stream 1 than its window takes"},
      {frame(YamuxType::data, 0, 1, 0xffff'ffff), "yamux: the peer sent more on stream 1 than its window takes"},
      {update(0, 1, 0xffff'ffff), "yamux: the peer gave stream 1 a window of more than 4 GiB"},
  };
  for (const auto& [hex, text] : wrongs) {
    Peer peer;
    auto stream = peer.established(1);
    auto first = peer.in(hex);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().cause, Cause::protocol);
    EXPECT_EQ(first.error().text, text);
    EXPECT_EQ(peer.out(), frame(YamuxType::go_away, 0, 0, 1));
    EXPECT_EQ(peer.why(frame(YamuxType::ping, kSyn, 0)), text);
    EXPECT_EQ(peer.out(), "");
  }
}

TEST(YamuxMachine, AnotherProtocolIsNotAnswered) {
  for (const char* wrong : {"0100000003000000ffffffff", "000400000000000000000000"}) {
    Peer peer;
    EXPECT_NE(peer.why(wrong), "");
    EXPECT_FALSE(peer.machine.has_control());
  }
}

TEST(YamuxMachine, FramesOfUnknownStreamsAreDiscarded) {
  Peer peer;
  ASSERT_TRUE(peer.in(push(9, 5) + update(kFin, 9) + update(kRst, 9) + update(kAck, 9) + update(0, 9, 0xffff'ffff) +
                      push(9, 2, kFin | kRst) + update(kSyn, 1)));
  EXPECT_EQ(peer.accepted()->id(), 1U);
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer);
}

TEST(YamuxMachine, AWindowIsGivenBackByTheHalf) {
  Peer peer;
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(push(1, kWindow)));
  EXPECT_EQ(read(*stream, kWindow / 2 - 1), kWindow / 2 - 1);
  EXPECT_EQ(peer.out(), "");
  EXPECT_EQ(read(*stream, 1), 1U);
  EXPECT_EQ(read(*stream, 10), 10U);
  EXPECT_EQ(peer.out(), update(0, 1, kWindow / 2 + 10)) << "updates that wait become one";
  EXPECT_EQ(read(*stream), kWindow / 2 - 10);
  EXPECT_EQ(peer.out(), "");
  ASSERT_TRUE(peer.in(push(1, kWindow / 2 + 10)));
  EXPECT_EQ(peer.why(push(1, 1)), "yamux: the peer sent more on stream 1 than its window takes");
}

TEST(YamuxMachine, ALargerWindowIsAnnouncedWithTheFirstFrame) {
  Peer peer({.max_stream_window = 1'000'000});
  ASSERT_TRUE(peer.in(update(kSyn, 1)));
  auto theirs = peer.accepted();
  auto ours = peer.machine.open().value();
  EXPECT_EQ(peer.out(), update(kAck, 1, 1'000'000 - kWindow) + update(kSyn, 2, 1'000'000 - kWindow));
  ASSERT_TRUE(peer.in(push(1, 1'000'000)));
  EXPECT_EQ(read(*theirs, 499'999), 499'999U);
  EXPECT_EQ(peer.out(), "");
}

TEST(YamuxMachine, TheWindowOfThePeerLimitsWhatIsSent) {
  Peer peer;
  Told told;
  auto stream = peer.established(1);
  stream->observe(&told);
  EXPECT_EQ(stream->sendable(), kWindow);
  stream->sent(kWindow);
  EXPECT_EQ(stream->sendable(), 0U);
  EXPECT_EQ(stream->send_error(), 0);
  ASSERT_TRUE(peer.in(update(0, 1, 7)));
  EXPECT_EQ(stream->sendable(), 7U);
  EXPECT_EQ(told.to_write, 1);
  ASSERT_TRUE(peer.in(update(0, 1, 0xffff'ffff - 7)));
  EXPECT_EQ(stream->sendable(), 0xffff'ffffU);
}

TEST(YamuxMachine, EachDirectionEndsForItself) {
  Peer peer;
  Told told;
  auto stream = peer.established(1);
  stream->observe(&told);
  ASSERT_TRUE(peer.in(push(1, 5) + update(kFin, 1)));
  EXPECT_EQ(told.to_read, 2);
  EXPECT_EQ(read(*stream), 5U);
  EXPECT_EQ(status(*stream), "eof");
  EXPECT_EQ(stream->send_error(), 0);
  EXPECT_EQ(stream->sendable(), kWindow);
  EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(stream->send_error(), EPIPE);
  EXPECT_EQ(peer.out(), update(kFin, 1)) << "once";
  EXPECT_EQ(peer.machine.streams(), 1U);
  stream.reset();
  EXPECT_EQ(peer.out(), "") << "both have finished";
  auto again = peer.established(1);
}

TEST(YamuxMachine, AFinStormIsHarmless) {
  Peer peer;
  auto stream = peer.established(1);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(peer.in(update(kFin, 1) + update(kFin, 5) + push(1, 100)));
  EXPECT_EQ(status(*stream), "eof") << "bytes behind the end are nobody's";
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer);
  EXPECT_EQ(peer.out(), "");
}

TEST(YamuxMachine, ClosingSendsAFinAndGivesTheBudgetBack) {
  Peer peer;
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(push(1, 1000)));
  stream.reset();
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer);
  EXPECT_EQ(peer.machine.streams(), 0U);
  EXPECT_EQ(peer.out(), update(kFin, 1));
  ASSERT_TRUE(peer.in(push(1, 10) + update(0, 1, 100)));
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer) << "late bytes are discarded";
  EXPECT_EQ(peer.out(), "");
  EXPECT_EQ(Peer().why(update(kSyn, 1)), "");
  ASSERT_TRUE(peer.in(update(kFin, 1)));
  auto again = peer.established(1);
}

TEST(YamuxMachine, AStreamThatWeHaveClosedIsStillKnownUntilThePeerHasClosedIt) {
  Peer peer;
  auto stream = peer.established(1);
  stream.reset();
  EXPECT_EQ(peer.why(update(kSyn, 1)), "yamux: the peer opened stream 1 twice");
}

TEST(YamuxMachine, APeerThatFillsTheWindowOfAClosedStreamIsToldThatItIsInVain) {
  Peer peer;
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(push(1, 1000)));
  stream.reset();
  EXPECT_EQ(peer.out(), update(kFin, 1));
  ASSERT_TRUE(peer.in(push(1, kWindow - 1001)));
  EXPECT_EQ(peer.out(), "");
  ASSERT_TRUE(peer.in(push(1, 1)));
  EXPECT_EQ(peer.out(), update(kRst, 1));
  ASSERT_TRUE(peer.in(push(1, 10))) << "it is unknown now";
  auto again = peer.established(1);

  auto other = peer.established(3);
  other.reset();
  EXPECT_EQ(peer.why(push(3, kWindow + 1)), "yamux: the peer sent more on stream 3 than its window takes");
}

TEST(YamuxMachine, ClosedStreamsThatThePeerKeepsOpenAreLimited) {
  Peer peer;
  constexpr std::uint32_t kMost = YamuxMachine::kMaxHalfClosed;
  for (std::uint32_t i = 0; i < kMost; ++i) {
    auto stream = peer.established(1 + 2 * i);
    stream.reset();
    EXPECT_EQ(peer.out(), update(kFin, 1 + 2 * i));
  }
  peer.established(1 + 2 * kMost).reset();
  EXPECT_EQ(peer.out(), update(kFin, 1 + 2 * kMost) + update(kRst, 1)) << "the oldest is broken";
}

TEST(YamuxMachine, AStreamMayBeClosedInTheMiddleOfAFrameForIt) {
  for (int end : {0, int{kFin}, int{kRst}}) {
    Peer peer;
    auto stream = peer.established(1);
    ASSERT_TRUE(peer.in(frame(YamuxType::data, end, 1, 5) + "61"));
    stream.reset();
    EXPECT_EQ(peer.out(), update(kFin, 1));
    ASSERT_TRUE(peer.in("62636465" + update(kSyn, 3)));
    EXPECT_EQ(peer.accepted()->id(), 3U);
    EXPECT_EQ(peer.why(update(kSyn, 1)).empty(), end != 0) << "known until the peer has ended it";
  }
}

TEST(YamuxMachine, AnAbortIsAResetOnTheWire) {
  Peer peer;
  auto stream = peer.established(1);
  stream->abort();
  EXPECT_EQ(peer.out(), update(kRst, 1));
  EXPECT_EQ(status(*stream), "eof");
  stream.reset();
  EXPECT_EQ(peer.out(), "");
  ASSERT_TRUE(peer.in(push(1, 10)));
}

TEST(YamuxMachine, AResetGivesWhatIsBufferedAndThenAnError) {
  Peer peer;
  Told told;
  auto stream = peer.established(1);
  stream->observe(&told);
  ASSERT_TRUE(peer.in(push(1, 5) + update(kRst, 1)));
  EXPECT_EQ(told.to_read, 2);
  EXPECT_EQ(told.to_write, 1);
  EXPECT_EQ(read(*stream), 5U);
  EXPECT_EQ(status(*stream), std::to_string(ECONNRESET));
  EXPECT_EQ(stream->send_error(), ECONNRESET);
  EXPECT_EQ(stream->shutdown().error, ECONNRESET);
  EXPECT_EQ(stream->sendable(), 0U);
  EXPECT_EQ(peer.machine.streams(), 1U);
  stream.reset();
  EXPECT_EQ(peer.machine.streams(), 0U);
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer);
  EXPECT_EQ(peer.out(), "");
}

TEST(YamuxMachine, WhatIsNotAcceptedIsRefused) {
  Peer peer;
  ASSERT_TRUE(peer.in(update(kSyn, 1)));
  peer.accepted().reset();
  EXPECT_EQ(peer.out(), update(kRst, 1));
  ASSERT_TRUE(peer.in(push(3, 3, kSyn)));
  auto served = peer.accepted();
  EXPECT_EQ(read(*served), 3U);
  served.reset();
  EXPECT_EQ(peer.out(), update(kAck | kFin, 3)) << "who has read has accepted";
}

TEST(YamuxMachine, StreamsBeyondTheBacklogAreRefused) {
  Peer peer;
  constexpr std::uint32_t kMost = YamuxMachine::kBacklog;
  std::string syns;
  for (std::uint32_t i = 0; i <= kMost; ++i) syns += update(kSyn, 1 + 2 * i);
  ASSERT_TRUE(peer.in(syns + push(1 + 2 * kMost, 10)));
  EXPECT_EQ(peer.machine.streams(), kMost);
  EXPECT_TRUE(peer.out(10'000).ends_with(update(kRst, 1 + 2 * kMost)));
  EXPECT_EQ(peer.machine.take_accepted().size(), kMost);
  EXPECT_EQ(peer.machine.streams(), 0U) << "they were destroyed";
}

TEST(YamuxMachine, APeerThatMakesAnswersHasToReadThem) {
  Peer opening;
  Peer pinging;
  for (std::uint32_t i = 0; i < YamuxMachine::kMaxQueued; ++i) {
    EXPECT_TRUE(opening.machine.wants_input() && pinging.machine.wants_input());
    ASSERT_TRUE(opening.in(update(kSyn, 1 + 2 * i)));
    opening.accepted().reset();
    ASSERT_TRUE(pinging.in(frame(YamuxType::ping, kSyn, 0, i)));
  }
  EXPECT_FALSE(opening.machine.wants_input() || pinging.machine.wants_input());
  EXPECT_EQ(opening.out(12), update(kRst, 1));
  EXPECT_EQ(pinging.out(12), frame(YamuxType::ping, kAck, 0, 0));
  EXPECT_TRUE(opening.machine.wants_input() && pinging.machine.wants_input());
}

TEST(YamuxMachine, AResetFloodCostsNothing) {
  Peer peer;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    ASSERT_TRUE(peer.in(update(kSyn, 1 + 2 * i) + update(kRst, 1 + 2 * i)));
    auto stream = peer.accepted();
    EXPECT_EQ(status(*stream), std::to_string(ECONNRESET));
  }
  EXPECT_EQ(peer.machine.streams(), 0U);
  EXPECT_FALSE(peer.machine.has_control());
}

TEST(YamuxMachine, IdsAreOddForTheClientAndEvenForTheServer) {
  Peer client({}, MuxSide::client);
  Peer server({}, MuxSide::server);
  auto c1 = client.machine.open().value();
  auto c2 = client.machine.open().value();
  auto s1 = server.machine.open().value();
  auto s2 = server.machine.open().value();
  EXPECT_EQ(client.out(), update(kSyn, 1) + update(kSyn, 3));
  EXPECT_EQ(server.out(), update(kSyn, 2) + update(kSyn, 4));
  ASSERT_TRUE(client.in(update(kSyn, 5)));
  auto theirs = client.accepted();
  EXPECT_EQ(client.machine.open().value()->id(), 7U) << "the peer took 5";
}

TEST(YamuxMachine, AStreamThatIsClosedBeforeItsSynLeavesIsNeverHeardOf) {
  Peer client({}, MuxSide::client);
  client.machine.open().value().reset();
  EXPECT_FALSE(client.machine.has_control());
  EXPECT_EQ(client.machine.streams(), 0U);
}

TEST(YamuxMachine, AFrameForAStreamThatThePeerCannotKnowIsNotForIt) {
  Peer client({}, MuxSide::client);
  auto stream = client.machine.open().value();
  ASSERT_TRUE(client.in(push(1, 5) + update(kRst, 1)));
  EXPECT_EQ(status(*stream), "nothing");
  EXPECT_EQ(client.out(), update(kSyn, 1));
}

TEST(YamuxMachine, AShutdownRightAfterTheOpeningTravelsWithIt) {
  Peer client({}, MuxSide::client);
  auto stream = client.machine.open().value();
  EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(client.out(), update(kSyn | kFin, 1));
  stream.reset();
  EXPECT_EQ(client.out(), "");
}

TEST(YamuxMachine, NoMoreStreamsWaitAtThePeerThanItLetsWait) {
  Peer client({}, MuxSide::client);
  std::vector<std::unique_ptr<MuxMachineStream>> streams;
  for (std::size_t i = 0; i < YamuxMachine::kBacklog + 3; ++i) streams.push_back(client.machine.open().value());
  EXPECT_EQ(client.out(100'000).size(), YamuxMachine::kBacklog * 2 * kYamuxHeaderSize);
  Told told;
  auto& held = *streams[YamuxMachine::kBacklog];
  held.observe(&told);
  EXPECT_EQ(held.sendable(), 0U);
  EXPECT_EQ(held.send_error(), 0);
  ASSERT_TRUE(client.in(update(kAck, 1)));
  EXPECT_EQ(client.out(), update(kSyn, held.id()));
  EXPECT_EQ(held.sendable(), kWindow);
  EXPECT_EQ(told.to_write, 1);
  ASSERT_TRUE(client.in(update(kAck, 1)));
  EXPECT_EQ(client.out(), "") << "counted once";
  // What is refused, reset or closed at both ends does not wait any more either.
  ASSERT_TRUE(client.in(update(kRst, 3)));
  EXPECT_EQ(client.out(), update(kSyn, held.id() + 2));
  streams[2].reset();
  EXPECT_EQ(client.out(), update(kFin, 5));
  ASSERT_TRUE(client.in(update(kFin, 5)));
  EXPECT_EQ(client.out(), update(kSyn, held.id() + 4));
}

TEST(YamuxMachine, AStreamThatIsHeldBackMayBeShutDownOrClosed) {
  Peer client({}, MuxSide::client);
  std::vector<std::unique_ptr<MuxMachineStream>> streams;
  for (std::size_t i = 0; i < YamuxMachine::kBacklog + 2; ++i) streams.push_back(client.machine.open().value());
  client.out(100'000);
  streams[YamuxMachine::kBacklog].reset();
  EXPECT_EQ(streams.back()->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(client.out(), "");
  ASSERT_TRUE(client.in(update(kAck, 1)));
  EXPECT_EQ(client.out(), update(kSyn | kFin, streams.back()->id()));
}

TEST(YamuxMachine, WhoGoesAwayTakesNoNewStreamsAndKeepsTheOldOnes) {
  Peer peer;
  auto stream = peer.established(1);
  EXPECT_TRUE(peer.machine.can_open());
  ASSERT_TRUE(peer.in(frame(YamuxType::go_away, 0, 0, 0)));
  EXPECT_FALSE(peer.machine.can_open());
  auto refused = peer.machine.open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "yamux: the peer takes no more streams");
  ASSERT_TRUE(peer.in(push(1, 5)));
  EXPECT_EQ(read(*stream), 5U);
}

TEST(YamuxMachine, AGoAwayWithAnErrorEndsTheSession) {
  EXPECT_EQ(Peer().why(frame(YamuxType::go_away, 0, 0, 1)),
            "yamux: the peer ended the session: it saw an error in the protocol");
  EXPECT_EQ(Peer().why(frame(YamuxType::go_away, 0, 0, 2)),
            "yamux: the peer ended the session: it has an internal error");
  EXPECT_EQ(Peer().why(frame(YamuxType::go_away, 0, 0, 7)), "yamux: the peer ended the session with code 7");
}

TEST(YamuxMachine, TheBudgetStopsReadingUntilSomebodyReads) {
  Peer peer({.max_receive_buffer = kWindow});
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(push(1, kWindow - 1)));
  EXPECT_TRUE(peer.machine.wants_input());
  ASSERT_TRUE(peer.in(push(1, 1)));
  EXPECT_FALSE(peer.machine.wants_input());
  read(*stream, 1);
  EXPECT_TRUE(peer.machine.wants_input());
}

TEST(YamuxMachine, ControlFramesComeWholeAndEndsLast) {
  Peer peer({}, MuxSide::client);
  auto theirs = peer.established(2);
  auto closed = peer.established(4);
  ASSERT_TRUE(peer.in(push(2, kWindow) + frame(YamuxType::ping, kSyn, 0, 77)));
  auto own = peer.machine.open().value();
  closed.reset();
  read(*theirs);
  ASSERT_TRUE(peer.machine.expire(kStart + 30s));
  std::string expected = frame(YamuxType::ping, kSyn, 0, 0) + frame(YamuxType::ping, kAck, 0, 77) + update(kSyn, 1) +
                         update(0, 2, kWindow) + update(kFin, 4);
  std::string got;
  while (peer.machine.has_control()) {
    std::string part = peer.out(20);
    ASSERT_FALSE(part.empty());
    got += part;
  }
  EXPECT_EQ(got, expected);
}

TEST(YamuxMachine, PingsNowAndThenAndEndsASilentSession) {
  Peer peer;
  EXPECT_EQ(peer.machine.next_timeout(), kStart + 30s);
  ASSERT_TRUE(peer.machine.expire(kStart + 30s));
  EXPECT_EQ(peer.out(), frame(YamuxType::ping, kSyn, 0, 0));
  EXPECT_EQ(peer.machine.next_timeout(), kStart + 40s);
  ASSERT_TRUE(peer.in(frame(YamuxType::ping, kAck, 0, 0)));
  ASSERT_TRUE(peer.machine.expire(kStart + 40s));
  EXPECT_EQ(peer.out(), "");
  EXPECT_EQ(peer.machine.next_timeout(), kStart + 60s);
  ASSERT_TRUE(peer.machine.expire(kStart + 60s));
  EXPECT_EQ(peer.out(), frame(YamuxType::ping, kSyn, 0, 1));
  ASSERT_TRUE(peer.in(update(kFin, 99))) << "any frame is a sign of life";
  ASSERT_TRUE(peer.machine.expire(kStart + 70s));
  ASSERT_TRUE(peer.machine.expire(kStart + 90s));
  auto end = peer.machine.expire(kStart + 100s);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().cause, Cause::timeout);
  EXPECT_EQ(end.error().text, "yamux: nothing came from the peer for 10s after a ping");
}

TEST(YamuxMachine, MayPingMoreOftenThanItWaitsForAnAnswer) {
  Peer peer({.keepalive_interval = 4s});
  for (auto at : {4s, 8s}) {
    EXPECT_EQ(peer.machine.next_timeout(), kStart + at);
    ASSERT_TRUE(peer.machine.expire(kStart + at));
    EXPECT_NE(peer.out(), "");
    ASSERT_TRUE(peer.in(frame(YamuxType::ping, kAck, 0, 0)));
  }
  ASSERT_TRUE(peer.machine.expire(kStart + 12s));
  peer.out();
  ASSERT_TRUE(peer.machine.expire(kStart + 16s));
  EXPECT_EQ(peer.out(), "") << "one is unanswered";
  EXPECT_EQ(peer.machine.next_timeout(), kStart + 22s);
  EXPECT_FALSE(peer.machine.expire(kStart + 22s));
}

TEST(YamuxMachine, WhoDoesNotReadDoesNotBlameThePeerForSilence) {
  Peer peer({.max_receive_buffer = kWindow});
  auto stream = peer.established(1);
  ASSERT_TRUE(peer.in(push(1, kWindow)));
  ASSERT_TRUE(peer.machine.expire(kStart + 30s));
  ASSERT_TRUE(peer.machine.expire(kStart + 40s));
  ASSERT_TRUE(peer.machine.expire(kStart + 60s));
  read(*stream);
  EXPECT_FALSE(peer.machine.expire(kStart + 70s));
}

TEST(YamuxMachine, WithoutKeepaliveThereAreNoTimeouts) {
  Peer peer({.keepalive_disabled = true});
  EXPECT_FALSE(peer.machine.next_timeout());
  ASSERT_TRUE(peer.machine.expire(kStart + 1000h));
  EXPECT_FALSE(peer.machine.has_control());
}

TEST(YamuxMachine, StreamsOutliveTheirSession) {
  Told told;
  std::unique_ptr<MuxMachineStream> finished;
  std::unique_ptr<MuxMachineStream> cut;
  {
    Peer peer;
    finished = peer.established(1);
    cut = peer.established(3);
    cut->observe(&told);
    peer.established(7).reset();
    ASSERT_TRUE(peer.in(push(1, 5, kFin) + push(3, 5) + update(kSyn, 5)));  // the last one stays in the backlog
  }
  EXPECT_EQ(told.end, 1);
  EXPECT_EQ(read(*finished), 5U);
  EXPECT_EQ(status(*finished), "eof");
  EXPECT_EQ(read(*cut), 5U);
  EXPECT_EQ(status(*cut), std::to_string(ECONNRESET)) << "a cut transfer does not look complete";
  EXPECT_EQ(cut->send_error(), EPIPE);
  EXPECT_EQ(cut->shutdown().error, EPIPE);
}

}  // namespace
}  // namespace gost
