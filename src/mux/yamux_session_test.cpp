// What is different about a session that speaks yamux; the rest is tested with smux.
#include "mux/session.hpp"

#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

struct Sink final : MuxSink {
  std::vector<std::unique_ptr<MuxStream>> streams;
  void accepted(std::unique_ptr<MuxStream> stream) override { streams.push_back(std::move(stream)); }
};

/// A session whose peer is the test, which speaks in hex.
struct Lab {
  explicit Lab(MuxSide side = MuxSide::server) {
    auto [near, far] = make_memory_pipe();
    peer = std::move(far);
    session = std::make_unique<MuxSession>(io, std::move(near), YamuxOptions(), side, &sink);
  }

  template <class Test>
  void run(Test test) {
    io.loop.run(beside(test));
  }
  Task<> serve() {
    reason = co_await session->run();
    ended = true;
    ended_at = io.loop.now();
  }
  template <class Test>
  Task<> beside(Test test) {
    TaskGroup group(co_await this_scope());
    group.spawn(serve());
    co_await test(*this);
    session->end();
    co_await group.join();
  }
  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }
  Task<> say(std::string hex) {
    auto bytes = from_hex(hex).value();
    EXPECT_TRUE(co_await write_all(*peer, bytes));
    co_await settle();
  }
  /// What the session has said since the last call.
  Task<std::string> heard() {
    co_await settle();
    std::string hex;
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      IoResult got = peer->try_read(buffer);
      if (got.status != IoResult::Status::ok) co_return hex;
      hex += to_hex(Bytes(buffer).first(got.bytes));
    }
  }

  IoContext io{Loop::Time::simulated};
  Sink sink;
  std::unique_ptr<Stream> peer;
  std::unique_ptr<MuxSession> session;
  std::optional<Error> reason;
  bool ended = false;
  TimePoint ended_at;
};

std::string read(Stream& stream) {
  std::array<std::uint8_t, 4096> buffer;
  IoResult got = stream.try_read(buffer);
  switch (got.status) {
  case IoResult::Status::ok: return std::string(as_text(Bytes(buffer).first(got.bytes)));
  case IoResult::Status::would_block: return "<nothing>";
  case IoResult::Status::eof: return "<eof>";
  case IoResult::Status::error: return "<error " + std::to_string(got.error) + ">";
  }
  return "";
}

TEST(YamuxSession, OpensWritesShutsDownAndReadsOn) {
  Lab lab(MuxSide::client);
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
  Lab lab;
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
  Lab lab;
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
  Lab lab;
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
  Lab lab(MuxSide::client);
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
  Lab lab(MuxSide::client);
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
  Lab lab;
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
