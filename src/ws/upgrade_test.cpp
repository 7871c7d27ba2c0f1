// Both handshakes, over a memory pipe: with each other, and with peers that say something else.
#include "ws/upgrade.hpp"

#include "ws/testing/pair.hpp"

namespace gost::ws {
namespace {

using namespace std::chrono_literals;
using testing::frame;
using testing::Pair;
using testing::read_to_end;

TEST(WsUpgrade, BothEndsUnderstandEachOtherAlsoWhenEverythingIsSplit) {
  for (std::size_t capacity : {1U, 7U, 100'000U}) {
    for (bool compression : {false, true}) {
      Pair pair;
      pair.pipe = {.capacity = capacity, .read_at_most = capacity == 100'000 ? 100'000U : 1U};
      pair.client_first = !compression;
      pair.server_options.compression = pair.client_options.compression = compression;
      pair.connect();
      ASSERT_TRUE(pair.client && pair.server) << pair.client_error->text;
      EXPECT_EQ(pair.client->layers(), "memory,ws");
      pair.io.loop.run(ping_pong(pair));
      EXPECT_LE(pair.io.buffers.kept(), 2U);
    }
  }
}

/// Handshake, a message, end; returns how many errors there were.
Task<int> whole_life(Pair& pair, std::string& got) {
  int errors = (pair.client_error ? 1 : 0) + (pair.server_error ? 1 : 0);
  if (!pair.client || !pair.server) co_return errors;
  if (!co_await write_all(*pair.client, as_bytes("ping"))) ++errors;
  if (pair.client->try_shutdown().status != IoResult::Status::ok) ++errors;
  if (errors > 0) pair.client.reset();
  if (co_await read_to_end(*pair.server, got)) ++errors;
  co_return errors;
}

TEST(WsUpgrade, AFailureAtAnyStepIsAnErrorAndNotAHang) {
  for (bool client_first : {true, false}) {
    bool reached_the_end = false;
    for (std::size_t step = 0; step < 100 && !reached_the_end; ++step) {
      Pair pair;
      pair.client_first = client_first;
      pair.pipe = {.read_at_most = 40, .fail_at = step};
      pair.connect();
      std::string got;
      reached_the_end = pair.io.loop.run(whole_life(pair, got)) == 0;
      if (reached_the_end) EXPECT_EQ(got, "ping");
    }
    EXPECT_TRUE(reached_the_end);
  }
}

/// What became of a handshake with a peer that says `said`, and perhaps ends.
struct Handshake {
  std::string answered;
  std::string error;
  Cause cause = Cause::other;
  Duration took{};
  std::unique_ptr<Stream> stream;
};

struct Peer {
  std::string said;
  bool ends = false;
  std::size_t piece = 100'000;
  Duration late{};
};

Task<> speak(Stream& stream, const Peer& peer) {
  co_await sleep_for(peer.late);
  for (std::size_t at = 0; at < peer.said.size(); at += peer.piece) {
    if (!co_await write_all(stream, as_bytes(std::string_view(peer.said).substr(at, peer.piece)))) co_return;
    co_await yield();
  }
  if (peer.ends) stream.try_shutdown();
}

Task<> run_upgrade(IoContext& io, const ServerOptions& options, std::unique_ptr<Stream> below, Handshake& outcome) {
  const TimePoint start = io.loop.now();
  const WsUpgrade upgrade(options);
  auto made = co_await upgrade.upgrade(io, std::move(below));
  outcome.took = io.loop.now() - start;
  if (made) {
    outcome.stream = std::move(*made);
  } else {
    outcome.error = made.error().text;
    outcome.cause = made.error().cause;
  }
}

Handshake serve(IoContext& io, const Peer& peer, const ServerOptions& options = {},
                const MemoryPipeOptions& pipe = {}) {
  Handshake outcome;
  auto [near, far] = make_memory_pipe(pipe);
  io.loop.run([](IoContext& context, const ServerOptions& o, std::unique_ptr<Stream> below, Stream& other,
                 const Peer& who, Handshake& out) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(run_upgrade(context, o, std::move(below), out));
    group.spawn(speak(other, who));
    co_await group.join();
  }(io, options, std::move(near), *far, peer, outcome));
  std::vector<std::uint8_t> buffer(10'000);
  for (IoResult io_result = far->try_read(buffer); io_result.status == IoResult::Status::ok;
       io_result = far->try_read(buffer))
    outcome.answered += as_text(Bytes(buffer).first(io_result.bytes));
  return outcome;
}

const std::string kFields =
    "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kRequest = "GET /ws HTTP/1.1\r\n" + kFields + "\r\n";

TEST(WsUpgrade, WhatClientsGetThatSaySomethingElse) {
  struct Case {
    std::string said;
    std::string answered;  ///< the beginning
    std::string error;
  };
  for (const auto& [said, answered, error] : {
           Case{"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 Upgrade Required\r\n",
                "websocket: plain HTTP, without Upgrade: websocket (answered 426)"},
           Case{"GET / HTTP/1.1\r\n" + kFields + "\r\n", "HTTP/1.1 404 Not Found\r\n",
                "websocket: path / where /ws is served (answered 404)"},
           Case{"POST /ws HTTP/1.1\r\n" + kFields + "\r\n", "HTTP/1.1 405 Method Not Allowed\r\n",
                "websocket: method POST (answered 405)"},
           Case{"GET /ws HTTP/1.1\r\n" + kFields + "Content-Length: 4\r\n\r\nbody", "HTTP/1.1 400 Bad Request\r\n",
                "websocket: a request with a body (answered 400)"},
           Case{kRequest + frame(Role::server, Opcode::binary, "early"), "HTTP/1.1 400 Bad Request\r\n",
                "websocket: bytes behind the request, before it was answered (answered 400)"},
           Case{"GET /ws HTTP/1.1\r\nHost: a\nEvil: b\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n",
                "websocket: bad HTTP head: bad value (answered 400)"},
           Case{"GET /ws HTTP/1.1\r\nX: " + std::string(kMaxHttpHead, 'x'),
                "HTTP/1.1 431 Request Header Fields Too Large\r\n",
                "websocket: HTTP head of more than 16384 bytes (answered 431)"},
           Case{"\x05\x01\x00", "", "websocket: the client speaks SOCKS without WebSocket"},
           Case{"\x16\x03\x01", "", "websocket: the client speaks TLS; this listener is without it ('wss' has it)"},
           Case{"hello", "", "websocket: the client does not speak HTTP"},
       }) {
    for (std::size_t piece : {std::size_t{100'000}, std::size_t{50}}) {
      if (piece == 50 && said.size() > kRequest.size() && said.starts_with(kRequest)) continue;
      IoContext io{Loop::Time::simulated};
      const Handshake got = serve(io, {said, false, piece});
      EXPECT_EQ(got.answered.substr(0, answered.size()), answered) << said.substr(0, 60);
      EXPECT_EQ(got.answered.empty(), answered.empty());
      EXPECT_EQ(got.error, error);
      EXPECT_LE(got.took, 2s);
    }
  }
}

TEST(WsUpgrade, AHeadThatIsCutAnywhereIsAnErrorAtItsEndAndInTime) {
  for (std::size_t cut = 0; cut < kRequest.size(); ++cut) {
    IoContext io{Loop::Time::simulated};
    const Handshake ended = serve(io, {kRequest.substr(0, cut), true});
    EXPECT_EQ(ended.error, cut == 0 ? "websocket: EOF" : "websocket: unexpected EOF") << cut;
    EXPECT_EQ(ended.cause, Cause::eof);
    EXPECT_EQ(ended.answered, "");
    const Handshake silent = serve(io, {kRequest.substr(0, cut)});
    EXPECT_EQ(silent.took, 10s);
    EXPECT_EQ(silent.cause, Cause::timeout);
    EXPECT_EQ(silent.answered.substr(0, 28), cut == 0 ? "" : "HTTP/1.1 408 Request Timeout") << cut;
  }
}

TEST(WsUpgrade, TheTimeForAHeadIsThatOfTheOptions) {
  IoContext io{Loop::Time::simulated};
  ServerOptions options;
  options.head_timeout = 3s;
  EXPECT_EQ(serve(io, {"GET"}, options).took, 3s);
  options.head_timeout = 20s;
  EXPECT_EQ(serve(io, {"GET"}, options).took, 10s);
  options.handshake_timeout = 2s;
  EXPECT_EQ(serve(io, {"GET"}, options).took, 2s);
}

TEST(WsUpgrade, TheTimeForTheHandshakeIsForHeadAndAnswerTogether) {
  IoContext io{Loop::Time::simulated};
  const Handshake got = serve(io, {.said = kRequest, .late = 8s}, {}, {.capacity = 10});
  EXPECT_EQ(got.took, 10s);
  EXPECT_EQ(got.cause, Cause::timeout);
  EXPECT_EQ(got.answered, "HTTP/1.1 1") << "and nothing behind it";
}

TEST(WsUpgrade, AnAcceptedClientIsAStream) {
  IoContext io{Loop::Time::simulated};
  Handshake got = serve(io, {kRequest, false, 1});
  ASSERT_TRUE(got.stream) << got.error;
  EXPECT_TRUE(got.answered.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_TRUE(got.answered.ends_with("\r\n\r\n"));
}

Task<> run_connect(IoContext& io, std::unique_ptr<Stream> below, Handshake& outcome) {
  ClientOptions options;
  options.host = "h";
  const TimePoint start = io.loop.now();
  auto made = co_await with_deadline(options.handshake_timeout, ws_connect(io, std::move(below), options));
  outcome.took = io.loop.now() - start;
  if (made) {
    outcome.stream = std::move(*made);
  } else {
    outcome.error = made.error().text;
    outcome.cause = made.error().cause;
  }
}

Handshake dial(IoContext& io, const Peer& peer) {
  Handshake outcome;
  auto [near, far] = make_memory_pipe();
  io.loop.run([](IoContext& context, std::unique_ptr<Stream> below, Stream& other, const Peer& who,
                 Handshake& out) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(run_connect(context, std::move(below), out));
    group.spawn(speak(other, who));
    co_await group.join();
  }(io, std::move(near), *far, peer, outcome));
  return outcome;
}

TEST(WsConnect, WhatServersSayThatAreNone) {
  struct Case {
    const char* said;
    const char* error;
  };
  for (const auto& [said, error] : {
           Case{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "websocket: the server answered 404 Not Found to GET /ws; is the path right (option path)?"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n<html>",
                "websocket: the server answered 200 OK to GET /ws"},
           Case{"\x15\x03\x01", "websocket: the server wants TLS (dialer 'wss')"},
           Case{"\x05\x00", "websocket: the server does not speak HTTP: it is no WebSocket server"},
           Case{"HTTP/1.1 101 a\nb\r\n\r\n", "websocket: the server's answer: bad HTTP head: bad reason"},
       }) {
    for (std::size_t piece : {1U, 1'000U}) {
      IoContext io{Loop::Time::simulated};
      const Handshake got = dial(io, {said, false, piece});
      EXPECT_EQ(got.error, error);
      EXPECT_EQ(got.cause, Cause::protocol);
      EXPECT_EQ(got.took, 0s) << "no waiting for a body";
    }
  }
  IoContext io{Loop::Time::simulated};
  EXPECT_EQ(dial(io, {"HTTP/1.1 101", true}).error, "websocket: unexpected EOF");
  EXPECT_EQ(dial(io, {"HTTP/1.1 101"}).took, 10s);
  EXPECT_TRUE(
      dial(io, {"HTTP/1.1 200 " + std::string(kMaxHttpHead, 'x')}).error.starts_with("websocket: HTTP head of"));
}

}  // namespace
}  // namespace gost::ws
