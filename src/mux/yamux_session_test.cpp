// What is different about a session that speaks yamux; the rest is tested with smux.
#include "mux/testing/session_lab.hpp"

#include <array>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::read;
using Lab = testing::SessionLab;

TEST(YamuxSession, OpensWritesShutsDownAndReadsOn) {
  Lab lab(YamuxOptions(), MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_EQ(stream->layers(), "memory,yamux");
    EXPECT_EQ(stream->try_write(as_bytes(std::string_view("ask"))).bytes, 3U);
    EXPECT_EQ(co_await l.heard(),
              "000100010000000100000000"
              "00000000000000010000000361736b");
    EXPECT_EQ(stream->try_shutdown().status, IoResult::Status::ok);
    EXPECT_EQ(co_await l.heard(), "000100040000000100000000");
    co_await l.say(
        "000100020000000100000000"
        "0000000000000001000000026f6b"
        "000100040000000100000000");
    EXPECT_EQ(read(*stream), "ok");
    EXPECT_EQ(read(*stream), "<eof>");
    stream.reset();
    EXPECT_EQ(co_await l.heard(), "");
    EXPECT_EQ(l.session->streams(), 0U);
  });
  EXPECT_FALSE(lab.reason);
}

TEST(YamuxSession, AcceptsAndAnAbortIsAReset) {
  Lab lab{YamuxOptions()};
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "000100010000000100000000"
        "0000000000000001000000026869");
    EXPECT_EQ(co_await l.heard(), "000100020000000100000000");
    MuxStream& stream = *l.sink.streams.at(0);
    EXPECT_EQ(read(stream), "hi");
    stream.abort();
    EXPECT_EQ(co_await l.heard(), "000100080000000100000000");
  });
}

TEST(YamuxSession, AResetOfThePeerIsAnErrorOfTheStreamAlone) {
  Lab lab{YamuxOptions()};
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "000100010000000100000000"
        "0000000000000001000000026869"
        "000100080000000100000000");
    MuxStream& stream = *l.sink.streams.at(0);
    EXPECT_EQ(read(stream), "hi");
    EXPECT_EQ(read(stream), "<error 104>");
    EXPECT_EQ(stream.try_write(as_bytes(std::string_view("x"))).error, ECONNRESET);
    EXPECT_FALSE(l.ended);
  });
}

TEST(YamuxSession, AnErrorInTheProtocolIsToldToThePeer) {
  Lab lab{YamuxOptions()};
  lab.run([](Lab& l) -> Task<> {
    co_await l.say(
        "000100010000000100000000"
        "000100010000000100000000");
    EXPECT_TRUE(l.ended);
    EXPECT_TRUE((co_await l.heard()).starts_with("000300000000000000000001"));
  });
  ASSERT_TRUE(lab.reason);
  EXPECT_EQ(lab.reason->text, "yamux: the peer opened stream 1 twice");
}

TEST(YamuxSession, APeerThatGoesAwayMakesItUnusableForNewStreams) {
  Lab lab(YamuxOptions(), MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    auto stream = l.session->open().value();
    EXPECT_TRUE(l.session->usable());
    co_await l.say("000300000000000000000000");
    EXPECT_FALSE(l.session->usable());
    EXPECT_EQ(l.session->open().error().cause, Cause::exhausted);
    EXPECT_FALSE(l.ended);
  });
}

Task<> write_when_possible(Stream& stream, bool& done) {
  EXPECT_TRUE(co_await write_all(stream, as_bytes(std::string_view("late"))));
  done = true;
}

TEST(YamuxSession, AWriterOfAStreamThatIsHeldBackWaits) {
  Lab lab(YamuxOptions(), MuxSide::client);
  lab.run([](Lab& l) -> Task<> {
    std::vector<std::unique_ptr<MuxStream>> streams;
    for (int i = 0; i < 257; ++i) streams.push_back(l.session->open().value());
    EXPECT_EQ((co_await l.heard()).size(), std::size_t{256} * 24);
    TaskGroup group(co_await this_scope());
    bool done = false;
    group.spawn(write_when_possible(*streams.back(), done));
    co_await Lab::settle();
    EXPECT_FALSE(done);
    co_await l.say("000100020000000100000000");
    EXPECT_TRUE(done);
    EXPECT_EQ(co_await l.heard(),
              "000100010000020100000000"
              "0000000000000201000000046c617465");
    co_await group.join();
  });
}

TEST(YamuxSession, ASilentPeerIsNoticed) {
  Lab lab{YamuxOptions()};
  lab.run([](Lab& l) -> Task<> {
    TimePoint start = l.io.loop.now();
    co_await sleep_for(30s);
    EXPECT_EQ(co_await l.heard(), "000200010000000000000000");
    while (!l.ended) co_await sleep_for(1s);
    EXPECT_EQ(l.ended_at - start, 40s);
  });
  ASSERT_TRUE(lab.reason);
  EXPECT_EQ(lab.reason->cause, Cause::timeout);
}

}  // namespace
}  // namespace gost
