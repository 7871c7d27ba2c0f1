#include "mux/testing/session_lab.hpp"
#include "net/testing/stream_over.hpp"

#include <array>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::read;
using Lab = testing::SessionLab;

IoResult write(Stream& stream, std::string_view text) {
  return stream.try_write(as_bytes(text));
}

TEST(MuxSession, SynLeavesWithTheFirstBytesAndEachWriteIsAFrame) {
  Lab lab({}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(write(*stream, "reply").bytes, 5U);
    EXPECT_EQ(write(*stream, "payload").bytes, 7U);
    EXPECT_EQ(co_await l.heard(),
              "0100000003000000"
              "01020500030000007265706c79"
              "01020700030000007061796c6f6164");
    stream.reset();
    EXPECT_EQ(co_await l.heard(), "0101000003000000");
    EXPECT_EQ(l.session->streams(), 0U);
  });
  EXPECT_FALSE(lab.reason);
}

TEST(MuxSession, SynLeavesByItself) {
  Lab lab({}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(co_await l.heard(), "0100000003000000");
  });
}

TEST(MuxSession, AStreamThatWroteNothingIsNeverHeardOf) {
  Lab lab({}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    l.session->open().value().reset();
    EXPECT_EQ(co_await l.heard(), "");
  });
}

TEST(MuxSession, AcceptedStreamsReadAndWrite) {
  Lab lab(SmuxOptions{.version = 2});
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0200000003000000"
        "0202020003000000"
        "6869");
    EXPECT_EQ(l.sink.streams.size(), 1U);
    MuxStream& stream = *l.sink.streams.front();
    EXPECT_EQ(stream.layers(), "memory,smux");
    EXPECT_EQ(stream.kernel(Interest::write), nullptr);
    auto peer = SocketAddress(IpAddress::v4({10, 0, 0, 1}), 7);
    stream.set_remote(peer);
    EXPECT_EQ(stream.remote().to_string(), "10.0.0.1:7");
    EXPECT_EQ(read(stream), "hi");
    EXPECT_EQ(co_await l.heard(), "02040800030000000200000000000100");
    EXPECT_EQ(write(stream, "yo").bytes, 2U);
    EXPECT_EQ(co_await l.heard(), "0202020003000000796f");
    co_await l.say("0201000003000000");
    EXPECT_EQ(read(stream), "<eof>");
    EXPECT_EQ(write(stream, "x").error, EPIPE);
    EXPECT_EQ(stream.try_shutdown().status, IoResult::Status::ok) << "nothing need be said";
  });
}

TEST(MuxSession, WithoutASinkStreamsOfThePeerAreClosedAtOnce) {
  Lab lab({}, MuxSide::client, false);
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000002000000"
        "0102020002000000"
        "6869");
    EXPECT_EQ(co_await l.heard(), "0101000002000000");
    EXPECT_EQ(l.session->streams(), 0U);
  });
}

TEST(MuxSession, AnIdleSessionOwnsNoBuffer) {
  Lab lab;
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000003000000"
        "0102020003000000"
        "6869");
    EXPECT_EQ(l.io.buffers.kept(), 1U) << "one was borrowed, and it is back";
  });
}

TEST(MuxSession, KeepsTheConnectionAliveAndNoticesSilence) {
  Lab lab;
  TimePoint start = lab.io.loop.now();
  lab.run([](Lab& l) -> Task<> {
    co_await sleep_for(10s);
    EXPECT_EQ(co_await l.heard(), "0103000000000000");
    EXPECT_TRUE(l.session->usable());
    co_await l.say("0103000000000000");
    while (!l.ended) co_await sleep_for(1s);
    EXPECT_FALSE(l.session->usable());
    EXPECT_EQ(l.session->open().error().cause, Cause::reset);
  });
  EXPECT_EQ(lab.ended_at - start, 60s);
  ASSERT_TRUE(lab.reason);
  EXPECT_EQ(lab.reason->cause, Cause::timeout);
}

TEST(MuxSession, TheEndBelowIsAResetForStreamsWithoutAFin) {
  Lab lab;
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000003000000"
        "0100000005000000"
        "010201000300000061"
        "010201000500000062"
        "0101000005000000");
    l.peer.reset();
    co_await Lab::settle();
    EXPECT_TRUE(l.ended);
    EXPECT_EQ(read(*l.sink.streams[0]), "a");
    EXPECT_EQ(read(*l.sink.streams[0]), "<error 104>");
    EXPECT_EQ(read(*l.sink.streams[1]), "b");
    EXPECT_EQ(read(*l.sink.streams[1]), "<eof>");
    EXPECT_EQ(write(*l.sink.streams[0], "x").error, EPIPE);
    EXPECT_EQ(l.sink.streams[0]->undelivered(), 0U);
    l.session.reset();
    EXPECT_EQ(l.sink.streams[0]->layers(), "memory,smux");
    EXPECT_TRUE(l.sink.streams[0]->ready(Interest::write));
    l.session = std::make_unique<MuxSession>(l.io, make_memory_pipe().first, MuxOptions(), MuxSide::client);
  });
  EXPECT_FALSE(lab.reason) << lab.reason->text;
}

TEST(MuxSession, AnEndWithinAFrameIsAnError) {
  Lab lab;
  lab.run([](Lab& l) -> Task<> {
    co_await l.say("010000");
    EXPECT_EQ(l.peer->try_shutdown().status, IoResult::Status::ok);
    co_await Lab::settle();
    EXPECT_TRUE(l.ended);
  });
  ASSERT_TRUE(lab.reason);
  EXPECT_EQ(lab.reason->cause, Cause::eof);
}

TEST(MuxSession, AProtocolErrorEndsItWithTheReason) {
  Lab lab;
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000003000000"
        "0203000000000000");
    EXPECT_TRUE(l.ended);
    EXPECT_EQ(read(*l.sink.streams.at(0)), "<error 104>");
  });
  ASSERT_TRUE(lab.reason);
  EXPECT_EQ(lab.reason->cause, Cause::protocol);
}

TEST(MuxSession, AStreamThatBrokeWithItSaysWhy) {
  Lab lab;
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000003000000"
        "05");
    EXPECT_TRUE(l.ended) << "the first byte tells";
    MuxStream& stream = *l.sink.streams.at(0);
    EXPECT_EQ(read(stream), "<error 104>");
    EXPECT_EQ(stream.error(ECONNRESET).text, l.reason->text);
    EXPECT_EQ(stream.error(ECONNRESET).cause, Cause::reset);
    EXPECT_EQ(stream.error(EPIPE).text, "broken pipe");
  });
}

Task<> wait_for(Stream& stream, Interest interest, bool& done) {
  EXPECT_EQ(co_await stream.until(interest), Outcome::ready);
  done = true;
}

TEST(MuxSession, ItsEndAndAnAbortWakeWhoWaits) {
  for (bool abort : {false, true}) {
    Lab lab(SmuxOptions{.version = 2});
    bool has_read = false;
    bool has_written = false;
    lab.run([&](Lab& l) -> Task<> {
      co_await l.say(
          "0200000003000000"
          "02040800030000000000000000000000");  // no window
      MuxStream& stream = *l.sink.streams.at(0);
      EXPECT_EQ(write(stream, "x").status, IoResult::Status::would_block);
      TaskGroup group(co_await this_scope());
      group.spawn(wait_for(stream, Interest::read, has_read));
      group.spawn(wait_for(stream, Interest::write, has_written));
      co_await Lab::settle();
      EXPECT_FALSE(has_read || has_written);
      if (abort) {
        stream.abort();
        EXPECT_EQ(read(stream), "<eof>");
        EXPECT_EQ(write(stream, "x").error, EPIPE);
        EXPECT_EQ(co_await l.heard(), "0201000003000000");
      } else {
        l.session->end();
      }
      co_await group.join();
      l.sink.streams.clear();
    });
    EXPECT_TRUE(has_read && has_written);
  }
}

TEST(MuxSession, AWriterWithoutAWindowWaitsForTheUpdate) {
  Lab lab(SmuxOptions{.version = 2});
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0200000003000000"
        "02040800030000000000000003000000");
    MuxStream& stream = *l.sink.streams.at(0);
    EXPECT_EQ(write(stream, "abcdef").bytes, 3U);
    EXPECT_EQ(write(stream, "def").status, IoResult::Status::would_block);
    EXPECT_EQ(co_await l.heard(), "0202030003000000616263");
    TaskGroup group(co_await this_scope());
    bool done = false;
    group.spawn(wait_for(stream, Interest::write, done));
    co_await l.say("02040800030000000200000003000000");
    EXPECT_TRUE(done);
    EXPECT_EQ(write(stream, "def").bytes, 2U);
    EXPECT_EQ(co_await l.heard(), "02020200030000006465");
    co_await group.join();
  });
}

TEST(MuxSession, ASessionWithoutBudgetReadsAgainWhenAStreamIsRead) {
  Lab lab(SmuxOptions{.max_receive_buffer = 4, .max_stream_buffer = 4});
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "0100000003000000"
        "01020400030000006162"
        "6364");
    co_await l.say("0100000005000000");
    EXPECT_EQ(l.sink.streams.size(), 1U) << "nothing is read";
    EXPECT_EQ(read(*l.sink.streams[0]), "abcd");
    co_await Lab::settle();
    EXPECT_EQ(l.sink.streams.size(), 2U);
  });
}

TEST(MuxSession, AClosedStreamStillFinishesTheFrameThatHasBegun) {
  Lab lab({}, MuxSide::client, true, {.capacity = 12});
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    co_await Lab::settle();
    EXPECT_EQ(write(*stream, "abcdef").bytes, 6U) << "the frame has begun";
    EXPECT_GT(stream->undelivered(), 0U);
    EXPECT_EQ(write(*stream, "more").status, IoResult::Status::would_block);
    stream.reset();
    std::string all;
    for (int i = 0; i < 5; ++i) all += co_await l.heard();
    EXPECT_EQ(all,
              "0100000003000000"
              "0102060003000000616263646566"
              "0101000003000000");
  });
}

Task<> write_whole(Stream& stream, std::string text) {
  EXPECT_TRUE(co_await write_all(stream, as_bytes(text)));
}

TEST(MuxSession, WhoDoesNotUseItsTurnHoldsNobodyUp) {
  Lab lab({}, MuxSide::client, true, {.capacity = 100});
  lab.run([](Lab& l) -> Task<> {
    std::vector<std::unique_ptr<MuxStream>> streams;
    for (int i = 0; i < 6; ++i) streams.push_back(l.session->open().value());
    co_await l.heard();
    EXPECT_EQ(write(*streams[0], std::string(200, 'x')).bytes, 200U) << "and now the way is full";
    TaskGroup group(co_await this_scope());
    std::array<bool, 5> woken{};
    for (std::size_t i = 1; i <= 4; ++i) group.spawn(wait_for(*streams[i], Interest::write, woken[i]));
    group.spawn(write_whole(*streams[5], "last"));
    std::string all;
    for (int i = 0; i < 10; ++i) all += co_await l.heard();
    EXPECT_TRUE(all.ends_with("010204000d0000006c617374")) << all;
    group.stop();
    co_await group.join();
  });
}

TEST(MuxSession, ItsEndLetsGoWhatIsQueued) {
  Lab lab({}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(write(*stream, "bye").bytes, 3U);
    stream.reset();
    l.session->end();
    EXPECT_EQ(co_await l.heard(),
              "0100000003000000"
              "0102030003000000627965"
              "0101000003000000");
  });
}

TEST(MuxSession, EndsWithItsLastStreamWhereThatIsWanted) {
  Lab lab({}, MuxSide::client);
  TimePoint start = lab.io.loop.now();
  lab.run([](Lab& l) -> Task<> {
    auto first = l.session->open().value();
    auto second = l.session->open().value();
    l.session->end_when_idle();
    first.reset();
    co_await Lab::settle();
    EXPECT_TRUE(l.session->usable());
    second.reset();
    EXPECT_FALSE(l.session->usable());
    EXPECT_EQ(l.session->open().error().cause, Cause::reset);
    co_await Lab::settle();
    EXPECT_FALSE(l.ended) << "the peer may still send";
    EXPECT_EQ(co_await l.heard(), "01000000050000000101000005000000");
    EXPECT_EQ(testing::read(*l.peer), "<eof>");
    l.peer.reset();
    co_await Lab::settle();
    EXPECT_TRUE(l.ended);
  });
  EXPECT_FALSE(lab.reason);
  EXPECT_EQ(lab.ended_at, start);
}

/// What the peer hears, ten bytes a second, to the end; it gives signs of life meanwhile.
GOST_OWN_FRAME Task<std::string> read_slowly(Lab& lab) {
  const auto nop = from_hex("0103000000000000").value();
  std::string hex;
  std::array<std::uint8_t, 10> buffer;
  for (;;) {
    co_await sleep_for(1s);
    if (!lab.ended) EXPECT_EQ(lab.peer->try_write(nop).bytes, nop.size()) << "the session reads on";
    IoResult got = lab.peer->try_read(buffer);
    if (got.status != IoResult::Status::ok) co_return hex + (got.status == IoResult::Status::eof ? "<eof>" : "<?>");
    hex += to_hex(Bytes(buffer).first(got.bytes));
  }
}

TEST(MuxSession, ItsOrderlyEndDeliversWhatWasWrittenToASlowPeerThatStillSends) {
  for (bool half_close : {true, false}) {
    Lab lab(SmuxOptions{.keepalive_disabled = true}, MuxSide::client, true,
            {.capacity = 40, .half_close = half_close});
    lab.run([half_close](Lab& l) -> Task<> {
      auto stream = l.session->open().value();
      EXPECT_EQ(write(*stream, std::string(300, 'a')).bytes, 300U);
      l.session->end_when_idle();
      stream.reset();
      std::string expected =
          "0100000003000000"
          "01022c0103000000";
      for (int i = 0; i < 300; ++i) expected += "61";
      EXPECT_EQ(co_await read_slowly(l), expected + "0101000003000000<eof>");
      EXPECT_EQ(l.ended, !half_close) << "a peer that cannot be told the end is not waited for";
      l.peer.reset();
      co_await Lab::settle();
      EXPECT_TRUE(l.ended);
    });
    EXPECT_FALSE(lab.reason) << lab.reason->text;
  }
}

TEST(MuxSession, ItsOrderlyEndAnswersPingsUntilEverythingHasArrived) {
  Lab lab(YamuxOptions{.keepalive_disabled = true}, MuxSide::client, true, {.capacity = 20});
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(write(*stream, std::string(30, 'a')).bytes, 30U);
    l.session->end_when_idle();
    stream.reset();
    co_await l.say("000200010000000000000007");
    co_await l.say("000100010000000200000000");  // a stream, too late
    std::string all;
    while (!l.peer->ready(Interest::read)) co_await yield();
    for (std::string more = "-"; !more.empty(); all += more) more = co_await l.heard();
    EXPECT_TRUE(all.find("000200020000000000000007") != std::string::npos) << all;
    EXPECT_TRUE(all.ends_with("000100080000000200000000")) << all;
    EXPECT_TRUE(l.sink.streams.empty());
  });
}

TEST(MuxSession, ItsOrderlyEndWaitsTenSecondsForAPeerThatDoesNotMove) {
  for (bool reads : {true, false}) {
    // Behind the shutdown nobody asks whether the peer is alive.
    Lab lab(SmuxOptions{.keepalive_disabled = !reads, .keepalive_interval = 1s, .keepalive_timeout = 3s},
            MuxSide::client, true, {.capacity = 10});
    TimePoint start = lab.io.loop.now();
    lab.run([reads](Lab& l) -> Task<> {
      l.session->open().value()->try_write(as_bytes("hello"));
      l.session->end_when_idle();
      for (int i = 0; reads && i < 5; ++i) co_await l.heard();
      while (!l.ended) co_await sleep_for(1s);
    });
    EXPECT_GE(lab.ended_at - start, 10s);
    EXPECT_LT(lab.ended_at - start, 12s);
    ASSERT_EQ(lab.reason.has_value(), !reads);
    if (!reads) EXPECT_EQ(lab.reason->cause, Cause::timeout);
    if (!reads) EXPECT_EQ(lab.reason->text, "smux: the peer takes nothing any more: the last 12 bytes were lost");
  }
}

/// Its peer's machine has not acknowledged some bytes.
class Holding final : public testing::StreamOver {
 public:
  using StreamOver::StreamOver;
  std::size_t undelivered() const override { return held; }
  std::size_t held = 0;
};

TEST(MuxSession, ItsOrderlyEndTellsThePeerOnlyWhenEverythingHasArrived) {
  Lab lab(SmuxOptions{.keepalive_disabled = true}, MuxSide::client);
  auto [near, far] = make_memory_pipe();
  auto below = std::make_unique<Holding>(std::move(near));
  Holding& way = *below;
  lab.session = std::make_unique<MuxSession>(lab.io, std::move(below), SmuxOptions(), MuxSide::client);
  lab.peer = std::move(far);
  lab.run([&way](Lab& l) -> Task<> {
    way.held = 30;
    l.session->end_when_idle();
    for (; way.held > 0; --way.held) {
      co_await sleep_for(9s);
      l.peer->try_write(from_hex("0103000000000000").value());
      while (testing::read(*l.peer) != "<nothing>") continue;
      EXPECT_FALSE(l.ended);
    }
    co_await sleep_for(1s);
    EXPECT_EQ(testing::read(*l.peer), "<eof>");
    l.peer.reset();
    co_await Lab::settle();
    EXPECT_TRUE(l.ended);
  });
  EXPECT_FALSE(lab.reason);
}

TEST(MuxSession, EndsAtOnceWhereItHasNoStream) {
  Lab lab({}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    l.session->end_when_idle();
    co_await Lab::settle();
    EXPECT_TRUE(l.ended);
  });
}

TEST(MuxSession, HalfCloseIsPassedOnBehindWhatWasWrittenAsSoonAsThePeerHasSaidThatItUnderstands) {
  Lab lab(SmuxOptions{.half_close = true}, MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(stream->try_shutdown().error, ENOTSUP);
    EXPECT_EQ(write(*stream, "hi").bytes, 2U);
    EXPECT_EQ(co_await l.heard(),
              "0100000003000000"
              "01020200030000006869");
    co_await l.say("0103000001000000");
    EXPECT_EQ(co_await l.heard(), "0103000001000000");
    EXPECT_EQ(write(*stream, "yo").bytes, 2U);
    EXPECT_EQ(stream->try_shutdown().status, IoResult::Status::ok);
    EXPECT_EQ(co_await l.heard(),
              "0102020003000000796f"
              "0103000003000000");
    EXPECT_EQ(write(*stream, "x").error, EPIPE);
    co_await l.say(
        "0102020003000000"
        "6869"
        "0101000003000000");
    EXPECT_EQ(read(*stream), "hi");
    EXPECT_EQ(read(*stream), "<eof>");
  });
}

TEST(MuxSession, NeedNotEverRun) {
  IoContext io(Loop::Time::simulated);
  auto session = std::make_unique<MuxSession>(io, make_memory_pipe().first, MuxOptions(), MuxSide::client);
  auto stream = session->open().value();
  session.reset();
  EXPECT_EQ(read(*stream), "<error 104>");
}

}  // namespace
}  // namespace gost
