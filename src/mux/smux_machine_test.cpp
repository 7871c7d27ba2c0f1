#include "mux/smux_machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace gost {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

/// A machine, with hex for what goes in and comes out.
struct Peer {
  SmuxMachine machine;
  explicit Peer(const SmuxOptions& options = {}, MuxSide side = MuxSide::server) : machine(options, side, kStart) {}

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
};

std::string frame(int version, SmuxCommand command, std::size_t length, std::uint32_t id) {
  return to_hex(
      encode_smux_header({static_cast<std::uint8_t>(version), command, static_cast<std::uint16_t>(length), id}));
}

/// PSH with `count` times the letter a.
std::string push(int version, std::uint32_t id, std::size_t count) {
  std::string hex = frame(version, SmuxCommand::psh, count, id);
  for (std::size_t i = 0; i < count; ++i) hex += "61";
  return hex;
}

std::string update(std::uint32_t id, std::uint32_t consumed, std::uint32_t window) {
  return to_hex(encode_smux_update(2, id, {consumed, window}));
}

std::size_t read(MuxMachineStream& stream, std::size_t at_most = 100'000, TimePoint now = kStart) {
  std::vector<std::uint8_t> bytes(at_most);
  IoResult got = stream.read(bytes, now);
  return got.status == IoResult::Status::ok ? got.bytes : 0;
}

IoResult::Status status(MuxMachineStream& stream) {
  std::array<std::uint8_t, 16> bytes;
  return stream.read(bytes, kStart).status;
}

struct Told final : MuxObserver {
  int to_read = 0;
  int to_write = 0;
  int end = 0;
  void readable() override { ++to_read; }
  void writable() override { ++to_write; }
  void ended() override { ++end; }
};

TEST(SmuxMachine, AStreamOfThePeerIsAcceptedWithItsBytes) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100000003000000"
              "0102030003000000616263"));
  auto stream = peer.accepted();
  EXPECT_EQ(stream->id(), 3U);
  EXPECT_EQ(peer.machine.streams(), 1U);
  std::array<std::uint8_t, 2> two{};
  EXPECT_EQ(stream->read(two, kStart).bytes, 2U);
  EXPECT_EQ(as_text(two), "ab");
  EXPECT_EQ(stream->read(two, kStart).bytes, 1U);
  EXPECT_EQ(stream->read(two, kStart).status, IoResult::Status::would_block);
  EXPECT_EQ(peer.out(), "") << "version 1 has no updates";
}

TEST(SmuxMachine, EveryCutOfTheInputIsTheSame) {
  auto bytes = from_hex(
                   "0200000003000000"
                   "0202030003000000616263"
                   "02040800030000000000000064000000"
                   "0203000000000000"
                   "0201000003000000")
                   .value();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Peer peer({.version = 2});
    ASSERT_TRUE(peer.machine.input(Bytes(bytes).first(cut)));
    ASSERT_TRUE(peer.machine.input(Bytes(bytes).subspan(cut)));
    EXPECT_FALSE(peer.machine.within_frame());
    auto stream = peer.accepted();
    EXPECT_EQ(read(*stream), 3U);
    EXPECT_EQ(status(*stream), IoResult::Status::eof);
  }
}

TEST(SmuxMachine, KnowsWhetherAFrameIsUnfinished) {
  auto bytes = from_hex(
                   "0202030003000000616263"
                   "02040800030000000000000064000000")
                   .value();
  Peer peer({.version = 2});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(peer.machine.within_frame(), at != 0 && at != 11) << at;
    ASSERT_TRUE(peer.machine.input(Bytes(bytes).subspan(at, 1)));
  }
  EXPECT_FALSE(peer.machine.within_frame());
}

TEST(SmuxMachine, ASecondSynIsIgnored) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100000003000000"
              "0100000003000000"));
  auto stream = peer.accepted();
  EXPECT_EQ(peer.out(), "");
}

TEST(SmuxMachine, LengthsOfFramesWithoutPayloadAreIgnored) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100ffff03000000"
              "0103ffff00000000"
              "0101ffff03000000"));
  EXPECT_EQ(status(*peer.accepted()), IoResult::Status::eof);
}

TEST(SmuxMachine, FramesOfUnknownStreamsAreDiscarded) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("01020400090000006c6f7374"
              "0101000009000000"
              "0103000000000000"
              "01040800090000000000000000000000"
              "0100000003000000"));
  EXPECT_EQ(peer.accepted()->id(), 3U);
  EXPECT_EQ(peer.machine.budget(), peer.machine.options().max_receive_buffer);
}

TEST(SmuxMachine, AnUpdateHasEightBytesWhateverItSaysAndInVersion1ItDoesNothing) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100000003000000"
              "0104000003000000ffffffff00000000"
              "0102010003000000"
              "78"));
  auto stream = peer.accepted();
  EXPECT_EQ(stream->send_error(), 0);
  EXPECT_GT(stream->sendable(), 1'000'000U);
  EXPECT_EQ(read(*stream), 1U);
}

TEST(SmuxMachine, AnEmptyPushIsIgnored) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100000003000000"
              "0102000003000000"
              "010201000300000078"));
  EXPECT_EQ(read(*peer.accepted()), 1U);
}

TEST(SmuxMachine, AnotherVersionAndAnUnknownCommandEndTheSessionForGood) {
  for (const char* wrong : {"0203000000000000", "0105000000000000"}) {
    Peer peer;
    auto first = peer.in(wrong);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().cause, Cause::protocol);
    EXPECT_EQ(peer.in("0103000000000000").error().text, first.error().text);
  }
}

TEST(SmuxMachine, TheFirstByteTellsAnotherVersion) {
  Peer peer({.version = 2});
  EXPECT_EQ(peer.in("05").error().text,
            "smux: the peer speaks version 5, not 2 (SOCKS without smux? compare the schemes at both ends)");
}

TEST(SmuxMachine, StreamsBeyondTheBacklogAreRefused) {
  Peer peer;
  std::string syns;
  for (std::uint32_t i = 0; i < SmuxMachine::kBacklog + 3; ++i) syns += frame(1, SmuxCommand::syn, 0, 3 + 2 * i);
  ASSERT_TRUE(peer.in(syns));
  EXPECT_EQ(peer.machine.streams(), SmuxMachine::kBacklog);
  EXPECT_EQ(peer.out(), "010100000308000001010000050800000101000007080000");
  EXPECT_EQ(peer.machine.take_accepted().size(), SmuxMachine::kBacklog);
  EXPECT_EQ(peer.machine.streams(), 0U) << "they were destroyed";
}

TEST(SmuxMachine, APeerThatOpensStreamsHasToReadTheirFins) {
  Peer peer;
  for (std::uint32_t i = 0; i < SmuxMachine::kMaxQueuedFins; ++i) {
    EXPECT_TRUE(peer.machine.wants_input());
    ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 3 + 2 * i)));
    peer.accepted().reset();
  }
  EXPECT_FALSE(peer.machine.wants_input());
  peer.out(8);
  EXPECT_TRUE(peer.machine.wants_input());
}

TEST(SmuxMachine, IdsAreOddForTheClientAndEvenForTheServer) {
  Peer client({}, MuxSide::client);
  Peer server({}, MuxSide::server);
  auto c1 = client.machine.open().value();
  auto c2 = client.machine.open().value();
  auto s1 = server.machine.open().value();
  auto s2 = server.machine.open().value();
  EXPECT_EQ(client.out(), "01000000030000000100000005000000");
  EXPECT_EQ(server.out(), "01000000020000000100000004000000");
}

TEST(SmuxMachine, AnIdThatThePeerTookIsSkipped) {
  Peer client({}, MuxSide::client);
  ASSERT_TRUE(client.in("0100000003000000"));
  auto theirs = client.accepted();
  EXPECT_EQ(client.machine.open().value()->id(), 5U);
}

TEST(MuxIds, EndBeforeTheyBeginAnew) {
  MuxIds odd(0xffff'ffff);
  EXPECT_FALSE(odd.exhausted());
  EXPECT_EQ(odd.next(), 0xffff'ffffU);
  EXPECT_TRUE(odd.exhausted());
  MuxIds even(0xffff'fffe);
  EXPECT_FALSE(even.exhausted());
  EXPECT_EQ(even.next(), 0xffff'fffeU);
  EXPECT_TRUE(even.exhausted());
}

TEST(SmuxMachine, AStreamThatIsClosedBeforeItsSynLeavesIsNeverHeardOf) {
  Peer client({}, MuxSide::client);
  client.machine.open().value().reset();
  EXPECT_FALSE(client.machine.has_control());
  EXPECT_EQ(client.machine.streams(), 0U);
}

TEST(SmuxMachine, ClosingSendsAFinAndGivesTheBudgetBack) {
  Peer peer;
  ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 3) + push(1, 3, 1000)));
  auto stream = peer.accepted();
  EXPECT_EQ(peer.machine.budget(), 4'194'304 - 1000);
  stream.reset();
  EXPECT_EQ(peer.machine.budget(), 4'194'304);
  EXPECT_EQ(peer.out(), "0101000003000000");
  ASSERT_TRUE(peer.in(push(1, 3, 10) + frame(1, SmuxCommand::fin, 0, 3)));
  EXPECT_EQ(peer.machine.budget(), 4'194'304) << "late bytes are discarded";
  EXPECT_EQ(peer.out(), "");
}

TEST(SmuxMachine, AStreamMayBeClosedInTheMiddleOfAFrameForIt) {
  Peer peer;
  ASSERT_TRUE(
      peer.in("0100000003000000"
              "010205000300000061"));
  peer.accepted().reset();
  ASSERT_TRUE(
      peer.in("62636465"
              "0100000005000000"));
  EXPECT_EQ(peer.accepted()->id(), 5U);
}

TEST(SmuxMachine, FinGivesWhatIsBufferedThenTheEndAndForbidsSending) {
  Peer peer;
  Told told;
  ASSERT_TRUE(peer.in("0100000003000000"));
  auto stream = peer.accepted();
  stream->observe(&told);
  EXPECT_EQ(stream->send_error(), 0);
  ASSERT_TRUE(peer.in(push(1, 3, 5) + frame(1, SmuxCommand::fin, 0, 3)));
  EXPECT_EQ(told.to_read, 2);
  EXPECT_EQ(told.to_write, 1);
  EXPECT_EQ(stream->send_error(), EPIPE);
  EXPECT_EQ(stream->sendable(), 0U);
  ASSERT_TRUE(peer.in(push(1, 3, 2)));
  EXPECT_EQ(read(*stream), 7U) << "bytes behind the FIN as well, as in smux 1.5.31";
  EXPECT_EQ(status(*stream), IoResult::Status::eof);
  ASSERT_TRUE(peer.in(push(1, 3, 2)));
  EXPECT_EQ(peer.machine.budget(), 4'194'304) << "but nobody waits for more after the end";
  EXPECT_EQ(peer.machine.streams(), 1U);
  stream.reset();
  EXPECT_EQ(peer.out(), "0101000003000000");
}

constexpr const char* kSign = "0103000001000000";

TEST(SmuxMachine, SaysOnceThatItUnderstandsHalfClosesInAnswerToASynOrToThePeersNop) {
  Peer client({.half_close = true}, MuxSide::client);
  Peer server({.half_close = true});
  auto first = client.machine.open().value();
  EXPECT_EQ(client.out(), "0100000003000000") << "another smux hears nothing of it";
  ASSERT_TRUE(server.in("01030000000000000100000003000000"));
  auto accepted = server.accepted();
  EXPECT_EQ(server.out(), kSign);
  ASSERT_TRUE(client.in(kSign));
  EXPECT_EQ(client.out(), kSign);
  ASSERT_TRUE(server.in("0100000005000000" + std::string(kSign) + kSign));
  auto second = server.accepted();
  EXPECT_EQ(server.out(), "");
  EXPECT_EQ(accepted->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(first->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(server.out(), "0103000003000000");
}

TEST(SmuxMachine, HalfClosesTowardsAPeerThatUnderstandsItOnly) {
  Peer peer({.half_close = true});
  ASSERT_TRUE(peer.in("0100000003000000"));
  auto stream = peer.accepted();
  EXPECT_EQ(peer.out(), kSign);
  EXPECT_EQ(stream->shutdown().error, ENOTSUP);
  EXPECT_EQ(stream->send_error(), 0);
  ASSERT_TRUE(peer.in(kSign));
  EXPECT_EQ(peer.out(), "");
  EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok);
  EXPECT_EQ(peer.out(), "0103000003000000") << "once";
  EXPECT_EQ(stream->send_error(), EPIPE);
  ASSERT_TRUE(peer.in(push(1, 3, 5)));
  EXPECT_EQ(read(*stream), 5U);
  stream.reset();
  EXPECT_EQ(peer.out(), "0101000003000000") << "nobody reads any more";
}

TEST(SmuxMachine, SendingGoesOnBehindAHalfCloseOfThePeerUntilItsFin) {
  Peer peer({.half_close = true});
  Told told;
  ASSERT_TRUE(peer.in(kSign + std::string("0100000003000000") + push(1, 3, 2) + "0103000003000000"));
  auto stream = peer.accepted();
  stream->observe(&told);
  EXPECT_EQ(read(*stream), 2U);
  EXPECT_EQ(status(*stream), IoResult::Status::eof);
  EXPECT_EQ(stream->send_error(), 0);
  ASSERT_TRUE(peer.in("0101000003000000"));
  EXPECT_EQ(told.to_write, 1);
  EXPECT_EQ(stream->send_error(), EPIPE);
}

TEST(SmuxMachine, AFinEndsBothDirectionsWhoeverSaysIt) {
  for (bool half_closes : {false, true}) {
    Peer peer({.half_close = true});
    if (half_closes) ASSERT_TRUE(peer.in(kSign));
    peer.out();
    ASSERT_TRUE(peer.in("01000000030000000101000003000000"));
    auto stream = peer.accepted();
    peer.out();
    EXPECT_EQ(stream->send_error(), EPIPE);
    EXPECT_EQ(stream->shutdown().status, IoResult::Status::ok) << "what it has said before can still be read";
    EXPECT_EQ(peer.out(), "");
  }
}

TEST(SmuxMachine, WhatAnotherSmuxPutsIntoItsNopsMeansNothing) {
  Peer peer({.half_close = true});
  ASSERT_TRUE(peer.in("01000000030000000103000003000000"));
  EXPECT_EQ(status(*peer.accepted()), IoResult::Status::would_block);
  Peer deaf;
  ASSERT_TRUE(deaf.in("0100000003000000" + std::string(kSign) + "0103000003000000"));
  EXPECT_EQ(deaf.out(), "");
  EXPECT_EQ(status(*deaf.accepted()), IoResult::Status::would_block);
}

TEST(SmuxMachine, TheBudgetStopsReadingUntilSomebodyReads) {
  Peer peer({.max_receive_buffer = 100, .max_stream_buffer = 100});
  ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 3) + push(1, 3, 99)));
  auto stream = peer.accepted();
  EXPECT_TRUE(peer.machine.wants_input());
  ASSERT_TRUE(peer.in(push(1, 3, 1)));
  EXPECT_FALSE(peer.machine.wants_input());
  read(*stream, 1);
  EXPECT_TRUE(peer.machine.wants_input());
  read(*stream);
  EXPECT_EQ(peer.machine.budget(), 100);
}

TEST(SmuxMachine, TheFirstReadAndThenEveryHalfWindowSendsAnUpdate) {
  // wire.md, Appendix A.
  Peer server({.version = 2});
  ASSERT_TRUE(server.in(frame(2, SmuxCommand::syn, 0, 3) + "02020500030000006"
                                                           "8656c6c6f"));
  auto stream = server.accepted();
  EXPECT_EQ(server.out(), "") << "nothing is read yet";
  EXPECT_EQ(read(*stream), 5U);
  EXPECT_EQ(server.out(), "02040800030000000500000000000100");
  ASSERT_TRUE(server.in(push(2, 3, 32768) + push(2, 3, 7232)));
  EXPECT_EQ(read(*stream, 32767), 32767U);
  EXPECT_EQ(server.out(), "");
  EXPECT_EQ(read(*stream, 1), 1U);
  EXPECT_EQ(server.out(), "02040800030000000580000000000100");
  EXPECT_EQ(read(*stream), 7232U);
  EXPECT_EQ(server.out(), "");
}

TEST(SmuxMachine, UpdatesThatWaitBecomeOne) {
  Peer server({.version = 2, .max_stream_buffer = 10});
  ASSERT_TRUE(server.in(frame(2, SmuxCommand::syn, 0, 3) + push(2, 3, 40)));
  auto stream = server.accepted();
  for (int i = 0; i < 40; ++i) read(*stream, 1);
  EXPECT_EQ(server.out().size(), 32U);
}

TEST(SmuxMachine, TheWindowOfThePeerLimitsWhatIsSent) {
  Peer peer({.version = 2});
  Told told;
  ASSERT_TRUE(peer.in("0200000003000000"));
  auto stream = peer.accepted();
  stream->observe(&told);
  EXPECT_EQ(stream->sendable(), 262'144U);
  stream->sent(262'144);
  EXPECT_EQ(stream->sendable(), 0U);
  EXPECT_EQ(stream->send_error(), 0);
  ASSERT_TRUE(peer.in(update(3, 10, 100)));
  EXPECT_EQ(stream->sendable(), 0U);
  EXPECT_EQ(told.to_write, 0);
  ASSERT_TRUE(peer.in(update(3, 262'144, 100)));
  EXPECT_EQ(stream->sendable(), 100U);
  EXPECT_EQ(told.to_write, 1);
  ASSERT_TRUE(peer.in(update(3, 262'144, 0xffff'ffff)));
  EXPECT_EQ(stream->sendable(), 0x7fff'ffffU);
}

TEST(SmuxMachine, TheCountersGoRound) {
  Peer peer({.version = 2});
  ASSERT_TRUE(peer.in("0200000003000000"));
  auto stream = peer.accepted();
  for (std::uint32_t at = 0; at < 0xffff'0000U; at += 0x10000U) {
    stream->sent(0x10000);
    ASSERT_TRUE(peer.in(update(3, at + 0x10000U, 0x10000)));
  }
  stream->sent(0x10000);
  EXPECT_EQ(stream->sendable(), 0U);
  ASSERT_TRUE(peer.in(update(3, 0, 0x20000)));
  EXPECT_EQ(stream->sendable(), 0x20000U);
}

TEST(SmuxMachine, APeerThatReadMoreThanWasSentBreaksTheStreamOnly) {
  Peer peer({.version = 2});
  Told told;
  ASSERT_TRUE(peer.in("0200000003000000"));
  auto stream = peer.accepted();
  stream->observe(&told);
  stream->sent(10);
  ASSERT_TRUE(peer.in(update(3, 5000, 65536)));
  EXPECT_EQ(stream->send_error(), EPROTO);
  EXPECT_EQ(told.to_write, 1);
  ASSERT_TRUE(peer.in("0203000000000000"));
}

TEST(SmuxMachine, APeerMaySendItsFirstWindowAndNoMore) {
  Peer peer({.version = 2});
  ASSERT_TRUE(peer.in("0200000003000000"));
  auto stream = peer.accepted();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(peer.in(push(2, 3, 32768)));
  auto more = peer.in(push(2, 3, 1));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().text, "smux: the peer sent more on stream 3 than its window takes");
}

TEST(SmuxMachine, AnUpdateWidensWhatThePeerMaySendButNeverNarrowsIt) {
  Peer peer({.version = 2, .max_stream_buffer = 1000});
  ASSERT_TRUE(peer.in(frame(2, SmuxCommand::syn, 0, 3) + push(2, 3, 10)));
  auto stream = peer.accepted();
  read(*stream);
  peer.out();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(peer.in(push(2, 3, 32766)));
  read(*stream, 262'144 - 500, kStart + 2h);
  EXPECT_FALSE(peer.out().empty());
  ASSERT_TRUE(peer.in(push(2, 3, 506)));
  ASSERT_FALSE(peer.in(push(2, 3, 1000)));
}

TEST(SmuxMachine, AWindowThatIsReadFastGrowsWithinHalfOfTheBudget) {
  Peer peer({.version = 2, .max_receive_buffer = 1'000'000, .max_stream_buffer = 65536});
  ASSERT_TRUE(peer.in("0200000003000000"));
  auto stream = peer.accepted();
  auto pass = [&](Duration step, int count) {
    std::string last;
    static TimePoint now = kStart;
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(peer.in(push(2, 3, 32768)));
      read(*stream, 100'000, now);
      now += step;
      if (auto out = peer.out(); !out.empty()) last = out;
    }
    return last.substr(24);
  };
  EXPECT_EQ(pass(2s, 20), "00000100") << "a slow stream keeps its window";
  EXPECT_EQ(pass(1ms, 200), "00000800") << "65536, 131072, 262144, 524288; the next would be beyond 500000 more";
}

TEST(SmuxMachine, AReaderThatIsAlwaysBehindDoesNotMakeItsWindowGrow) {
  Peer peer({.version = 2});
  ASSERT_TRUE(peer.in("0200000003000000" + push(2, 3, 16384)));
  auto stream = peer.accepted();
  std::string last;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.in(push(2, 3, 16384)));
    read(*stream, 16384);
    if (auto out = peer.out(); !out.empty()) last = out.substr(24);
  }
  EXPECT_EQ(last, "00000100");
}

TEST(SmuxMachine, ControlFramesComeWholeAndFinsLast) {
  Peer peer({.version = 2}, MuxSide::client);
  ASSERT_TRUE(peer.in(frame(2, SmuxCommand::syn, 0, 2) + push(2, 2, 5) + frame(2, SmuxCommand::syn, 0, 4)));
  auto both = peer.machine.take_accepted();
  auto own = peer.machine.open().value();
  both[1].reset();
  read(*both[0]);
  ASSERT_TRUE(peer.machine.expire(kStart + 10s));
  std::string expected =
      "0203000000000000"
      "0200000003000000"
      "02040800020000000500000000000100"
      "0201000004000000";
  std::string got;
  while (peer.machine.has_control()) {
    std::string part = peer.out(24);
    ASSERT_FALSE(part.empty());
    got += part;
  }
  EXPECT_EQ(got, expected);
}

TEST(SmuxMachine, KeepaliveSendsNopsAndEndsASilentSession) {
  Peer peer;
  EXPECT_EQ(peer.machine.next_timeout(), kStart + 10s);
  for (auto at : {10s, 20s}) {
    ASSERT_TRUE(peer.machine.expire(kStart + at));
    EXPECT_EQ(peer.out(), "0103000000000000");
  }
  ASSERT_TRUE(peer.in("0103000000000000"));
  ASSERT_TRUE(peer.machine.expire(kStart + 30s)) << "one header is a sign of life";
  EXPECT_EQ(peer.out(), "0103000000000000") << "no NOP is answered; this one is our own";
  ASSERT_TRUE(peer.machine.expire(kStart + 40s));
  ASSERT_TRUE(peer.machine.expire(kStart + 50s));
  auto end = peer.machine.expire(kStart + 60s);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().cause, Cause::timeout);
  EXPECT_EQ(end.error().text, "smux: nothing came from the peer for 30s (mux.keepaliveTimeout)");
}

TEST(SmuxMachine, WhoDoesNotReadDoesNotBlameThePeerForSilence) {
  Peer peer({.max_receive_buffer = 10, .max_stream_buffer = 10});
  ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 3) + push(1, 3, 10)));
  auto stream = peer.accepted();
  ASSERT_TRUE(peer.machine.expire(kStart + 30s));
  ASSERT_TRUE(peer.machine.expire(kStart + 60s));
  ASSERT_TRUE(peer.machine.expire(kStart + 90s));
  read(*stream);
  EXPECT_FALSE(peer.machine.expire(kStart + 120s));
}

TEST(SmuxMachine, WithoutKeepaliveThereAreNoTimeouts) {
  Peer peer({.keepalive_disabled = true});
  EXPECT_FALSE(peer.machine.next_timeout());
  ASSERT_TRUE(peer.machine.expire(kStart + 1000h));
  EXPECT_FALSE(peer.machine.has_control());
}

TEST(SmuxMachine, StreamsOutliveTheirSession) {
  Told told;
  std::unique_ptr<MuxMachineStream> finished;
  std::unique_ptr<MuxMachineStream> cut;
  {
    Peer peer;
    ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 3) + push(1, 3, 5) + frame(1, SmuxCommand::fin, 0, 3)));
    finished = peer.accepted();
    ASSERT_TRUE(peer.in(frame(1, SmuxCommand::syn, 0, 5) + push(1, 5, 5)));
    cut = peer.accepted();
    cut->observe(&told);
    ASSERT_TRUE(peer.in("0100000007000000"));  // stays in the backlog
  }
  EXPECT_EQ(told.end, 1);
  EXPECT_EQ(read(*finished), 5U);
  EXPECT_EQ(status(*finished), IoResult::Status::eof);
  EXPECT_EQ(read(*cut), 5U);
  EXPECT_EQ(status(*cut), IoResult::Status::error) << "a cut transfer does not look complete";
  EXPECT_EQ(cut->send_error(), EPIPE);
  EXPECT_EQ(cut->shutdown().error, EPIPE);
}

}  // namespace
}  // namespace gost
