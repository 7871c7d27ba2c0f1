#include "tls/stream.hpp"

#include "net/relay.hpp"
#include "net/testing/stream_over.hpp"
#include "tls/testing/pair.hpp"

#include <array>
#include <cerrno>

namespace gost::tls {
namespace {

using namespace std::chrono_literals;
using testing::noise;
using testing::Pair;
using testing::read_to_end;
using testing::TrustedEnds;

constexpr auto kOk = IoResult::Status::ok;
constexpr auto kWouldBlock = IoResult::Status::would_block;

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return std::string(as_text(bytes));
}

TEST(TlsStream, SpeaksBothVersionsAndSaysWhich) {
  TrustedEnds ends;
  auto client = ends.client();
  for (auto [version, name] : {std::pair(Version::tls12, "TLSv1.2"), std::pair(Version::tls13, "TLSv1.3")}) {
    auto server = ends.server({.max_version = version});
    Pair pair;
    pair.connect(*server, *client);
    ASSERT_TRUE(pair.client && pair.server) << pair.client_error->text;
    pair.io.loop.run(ping_pong(pair));
    TlsInfo info = tls_info(*pair.client).value();
    EXPECT_EQ(info.version, name);
    EXPECT_TRUE(info.cipher.starts_with("TLS_")) << info.cipher;
    EXPECT_EQ(info.peer, ends.files.fingerprint);
    EXPECT_FALSE(info.resumed);
    EXPECT_EQ(tls_info(*pair.server)->server_name, "proxy.example");
    EXPECT_FALSE(tls_info(*pair.server)->peer);
    EXPECT_EQ(pair.client->layers(), "memory,tls");
    for (Interest way : {Interest::read, Interest::write}) EXPECT_EQ(pair.client->kernel(way), nullptr);
  }
  EXPECT_FALSE(tls_info(*make_memory_pipe().first));
}

TEST(TlsStream, WorksWhenEveryReadAndWriteIsSplit) {
  TrustedEnds ends;
  auto server = ends.server();
  auto client = ends.client();
  for (bool client_first : {true, false}) {
    for (std::size_t capacity : {1U, 7U, 100U}) {
      Pair pair;
      pair.pipe = {.capacity = capacity, .read_at_most = 1};
      pair.client_first = client_first;
      pair.connect(*server, *client);
      ASSERT_TRUE(pair.client && pair.server);
      pair.io.loop.run(ping_pong(pair));
    }
  }
}

/// Handshake, a message each way, end; returns how many errors there were.
Task<int> whole_life(Pair& pair, std::string& got) {
  int errors = 0;
  if (!pair.client || !pair.server) co_return (pair.client_error ? 1 : 0) + (pair.server_error ? 1 : 0);
  if (!co_await write_all(*pair.client, as_bytes("ping"))) ++errors;
  if (pair.client->try_shutdown().status != kOk) ++errors;
  if (errors > 0) pair.client.reset();
  if (co_await read_to_end(*pair.server, got)) ++errors;
  co_return errors;
}

TEST(TlsStream, AFailureAtAnyStepIsAnErrorAndNotAHang) {
  TrustedEnds ends;
  for (Version version : {Version::tls12, Version::tls13}) {
    auto server = ends.server({.max_version = version});
    bool reached_the_end = false;
    for (std::size_t step = 0; step < 200 && !reached_the_end; ++step) {
      auto client = ends.client();  // none remembers a session
      Pair pair;
      pair.pipe = {.read_at_most = 100, .fail_at = step};
      pair.connect(*server, *client);
      std::string got;
      int errors = pair.io.loop.run(whole_life(pair, got));
      reached_the_end = errors == 0;
      if (reached_the_end) EXPECT_EQ(got, "ping");
      if (pair.client_error) EXPECT_TRUE(pair.client_error->cause == Cause::reset) << pair.client_error->text;
    }
    EXPECT_TRUE(reached_the_end);
  }
}

TEST(TlsStream, AnIdleStreamHoldsNoBuffer) {
  TrustedEnds ends;
  Pair pair;
  pair.connect(*ends.server(), *ends.client());
  pair.io.loop.run(ping_pong(pair));
  // Two were borrowed at the same time at most by each end, and all are back.
  std::size_t kept = pair.io.buffers.kept();
  EXPECT_GE(kept, 1U);
  EXPECT_LE(kept, 4U);
  pair.client.reset();
  pair.server.reset();
  EXPECT_EQ(pair.io.buffers.kept(), kept) << "nothing comes back now that was not back before";
}

TEST(TlsStream, AWriteIsEncryptedOnceAndReportedWhenItIsSent) {
  TrustedEnds ends;
  Pair pair;
  pair.pipe.capacity = 10'000;
  pair.connect(*ends.server(), *ends.client());
  ASSERT_TRUE(pair.client);
  auto sent = noise(200'000, 1);
  IoResult first = pair.client->try_write(sent);
  EXPECT_EQ(first.status, kWouldBlock) << "a part is on its way, and none of it is reported";
  EXPECT_FALSE(pair.client->ready(Interest::write));
  std::size_t left = pair.client->undelivered();
  EXPECT_GT(left, 50'000U);
  EXPECT_EQ(pair.client->try_write(sent).status, kWouldBlock);
  EXPECT_EQ(pair.client->undelivered(), left) << "nothing was encrypted again";

  std::vector<std::uint8_t> got(100'000);
  std::size_t have = 0;
  IoResult second = first;
  while (second.status == kWouldBlock) {
    IoResult read = pair.server->try_read(MutableBytes(got).subspan(have));
    if (read.status == kOk) have += read.bytes;
    second = pair.client->try_write(sent);
  }
  ASSERT_EQ(second.status, kOk);
  EXPECT_EQ(second.bytes, 63U * 1024);
  EXPECT_EQ(pair.client->undelivered(), 0U);
  for (IoResult read = IoResult::moved(0); read.status == kOk;
       read = pair.server->try_read(MutableBytes(got).subspan(have)))
    have += read.bytes;
  EXPECT_EQ(have, second.bytes);
  EXPECT_TRUE(std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(have), sent.begin()));
}

TEST(TlsStream, ACallerThatComesBackWithLessLosesNothing) {
  TrustedEnds ends;
  Pair pair;
  pair.pipe.capacity = 10'000;
  pair.connect(*ends.server(), *ends.client());
  auto sent = noise(20'000, 2);
  EXPECT_EQ(pair.client->try_write(sent).status, kWouldBlock);
  std::vector<std::uint8_t> got(30'000);
  std::size_t have = pair.server->try_read(got).bytes;
  IoResult part = pair.client->try_write(Bytes(sent).first(5'000));
  ASSERT_EQ(part.status, kWouldBlock);
  have += pair.server->try_read(MutableBytes(got).subspan(have)).bytes;
  part = pair.client->try_write(Bytes(sent).first(5'000));
  ASSERT_EQ(part.bytes, 5'000U);
  part = pair.client->try_write(Bytes(sent).subspan(5'000));
  EXPECT_EQ(part.bytes, 15'000U);
  have += pair.server->try_read(MutableBytes(got).subspan(have)).bytes;
  EXPECT_EQ(have, sent.size());
  got.resize(have);
  EXPECT_TRUE(got == sent);
}

TEST(TlsStream, WhatIsDecryptedOrBufferedIsReadable) {
  TrustedEnds ends;
  Pair pair;
  pair.connect(*ends.server(), *ends.client());
  pair.io.loop.run([](Pair& p) -> Task<> {
    EXPECT_TRUE(co_await write_all(*p.client, as_bytes("abc")));
    EXPECT_TRUE(co_await write_all(*p.client, as_bytes("def")));
  }(pair));
  std::array<std::uint8_t, 2> two{};
  std::string all;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pair.server->ready(Interest::read)) << i;
    ASSERT_EQ(pair.server->try_read(two).status, kOk);
    all += as_text(two);
  }
  EXPECT_EQ(all, "abcdef");
  EXPECT_FALSE(pair.server->ready(Interest::read));
  EXPECT_EQ(pair.server->try_read(two).status, kWouldBlock);
}

TEST(TlsStream, AfterAShutdownTheOtherDirectionGoesOn) {
  TrustedEnds ends;
  for (Version version : {Version::tls12, Version::tls13}) {
    Pair pair;
    pair.connect(*ends.server({.max_version = version}), *ends.client());
    ASSERT_TRUE(pair.client);
    // The ticket of TLS 1.3 has not been read yet: it comes behind our close_notify.
    EXPECT_EQ(pair.client->try_shutdown().status, kOk);
    EXPECT_EQ(pair.client->try_shutdown().status, kOk);
    IoResult late = pair.client->try_write(as_bytes("x"));
    EXPECT_EQ(late.error, EPIPE);
    std::array<std::uint8_t, 10> got{};
    EXPECT_EQ(pair.server->try_read(got).status, IoResult::Status::eof);
    EXPECT_TRUE(pair.server->ready(Interest::read));
    EXPECT_EQ(pair.server->try_read(got).status, IoResult::Status::eof);
    EXPECT_EQ(pair.server->try_write(as_bytes("answer")).bytes, 6U);
    ASSERT_EQ(pair.client->try_read(got).bytes, 6U);
    EXPECT_EQ(as_text(got).substr(0, 6), "answer");
    pair.server.reset();
    EXPECT_EQ(pair.client->try_read(got).status, IoResult::Status::eof);
  }
}

TEST(TlsStream, AShutdownBehindAFullPipeIsTriedAgain) {
  TrustedEnds ends;
  Pair pair;
  pair.pipe.capacity = 5'000;
  pair.connect(*ends.server(), *ends.client());
  auto sent = noise(20'000, 3);
  EXPECT_EQ(pair.client->try_write(sent).status, kWouldBlock);
  EXPECT_EQ(pair.client->try_shutdown().status, kWouldBlock);
  std::string got = pair.io.loop.run([](Pair& p) -> Task<std::string> {
    std::string text;
    TaskGroup group(co_await this_scope());
    group.spawn([](Stream& stream) -> Task<> {
      while (stream.try_shutdown().status == kWouldBlock) co_await stream.until(Interest::write);
    }(*p.client));
    EXPECT_FALSE(co_await read_to_end(*p.server, text));
    co_await group.join();
    co_return text;
  }(pair));
  EXPECT_TRUE(got == text_of(sent));
}

TEST(TlsStream, AnEndWithoutCloseNotifyIsAnEnd) {
  TrustedEnds ends;
  for (Version version : {Version::tls12, Version::tls13}) {
    auto server = ends.server({.max_version = version});
    auto client = ends.client();
    Pair pair;
    auto [text, error] =
        pair.io.loop.run([](Pair& p, auto& s, auto& c) -> Task<std::pair<std::string, std::optional<Error>>> {
          auto [near, client_end] = make_memory_pipe();
          auto [far, server_end] = make_memory_pipe();
          TaskGroup group(co_await this_scope());
          group.spawn(p.dial(c, std::move(client_end)));
          group.spawn(p.accept(s, std::move(server_end)));
          RelayCounters counters;
          auto pools = p.io.pools();
          group.spawn([](Stream& a, Stream& b, RelayPools use, RelayCounters& count) -> Task<> {
            RelayOptions options;
            std::ignore = co_await relay(a, b, use, options, count);
          }(*near, *far, pools, counters));
          for (int turn = 0; turn < 200 && !(p.client && p.server); ++turn) co_await yield();
          std::ignore = co_await write_all(*p.client, as_bytes("last words"));
          co_await Pair::settle();
          group.stop();
          co_await group.join();
          near.reset();
          far.reset();  // both ends see the end of the lower stream
          std::string got;
          auto failed = co_await read_to_end(*p.server, got);
          co_return std::pair(got, failed);
        }(pair, *server, *client));
    EXPECT_EQ(text, "last words");
    EXPECT_FALSE(error) << error->text;
  }
}

TEST(TlsStream, WhatTheStreamBelowKnowsOfThePeersEndIsPassedOn) {
  class Closing final : public gost::testing::StreamOver {
   public:
    Closing(std::unique_ptr<Stream> below, const bool& now) : StreamOver(std::move(below)), now_(now) {}
    bool closed() const override { return now_; }

   private:
    const bool& now_;
  };
  IoContext io{Loop::Time::simulated};
  bool now = false;
  const TlsStream stream(io, std::make_unique<Closing>(make_memory_pipe().first, now));
  EXPECT_FALSE(stream.closed());
  now = true;
  EXPECT_TRUE(stream.closed());
}

TEST(TlsStream, DestructionSaysGoodbyeAndAbortDoesNot) {
  TrustedEnds ends;
  auto server = ends.server();
  auto client = ends.client();
  std::array<std::uint8_t, 10> got{};
  Pair pair;
  pair.connect(*server, *client);
  pair.client.reset();
  EXPECT_EQ(pair.server->try_read(got).status, IoResult::Status::eof);
  pair.connect(*server, *client);
  pair.client->abort();
  pair.client.reset();
  IoResult broken = pair.server->try_read(got);
  ASSERT_EQ(broken.status, IoResult::Status::error);
  EXPECT_EQ(broken.error, ECONNRESET);
  EXPECT_EQ(pair.server->error(broken.error).cause, Cause::reset);
  EXPECT_TRUE(pair.server->ready(Interest::read));
  EXPECT_EQ(pair.server->try_write(as_bytes("x")).status, IoResult::Status::error);
}

TEST(TlsStream, TheSecondConnectionIsResumed) {
  TrustedEnds ends;
  auto me = ends.authority.sign("me");
  for (bool mutual : {false, true}) {
    for (Version version : {Version::tls12, Version::tls13}) {
      auto server = ends.server({.ca_file = mutual ? ends.authority.file() : "", .max_version = version});
      auto client = ends.client({.cert_file = me.cert, .key_file = me.key});
      Pair pair;
      for (int i = 0; i < 4; ++i) {
        pair.connect(*server, *client);
        ASSERT_TRUE(pair.client && pair.server);
        pair.io.loop.run(ping_pong(pair));
        EXPECT_EQ(tls_info(*pair.client)->resumed, i > 0) << i;
        EXPECT_EQ(tls_info(*pair.server)->resumed, i > 0) << i;
        EXPECT_EQ(tls_info(*pair.client)->peer, ends.files.fingerprint);
        EXPECT_EQ(tls_info(*pair.server)->peer.has_value(), mutual);
      }
      pair.node_host = "other.example";
      EXPECT_FALSE((pair.connect(*server, *client), pair.client)) << "a session is no proof for another name";
    }
  }
}

TEST(TlsStream, ASessionDoesNotOutliveTheTrustInIt) {
  TrustedEnds ends;
  auto me = ends.authority.sign("me");
  auto server = ends.server({.ca_file = ends.authority.file()});
  auto client = ends.client({.cert_file = me.cert, .key_file = me.key});
  Pair pair;
  pair.connect(*server, *client);
  pair.io.loop.run(ping_pong(pair));
  auto stranger = ends.authority.self_signed("stranger");
  std::filesystem::rename(stranger.cert, ends.authority.file());
  EXPECT_EQ(server->reload_if_changed(), true);
  pair.connect(*server, *client);
  EXPECT_FALSE(pair.server) << "its CA is not trusted any more";
}

TEST(TlsStream, DamagedRecordsEndItWithASentence) {
  TrustedEnds ends;
  auto server = ends.server();
  auto client = ends.client();
  Pair pair;
  // A record that nobody encrypted, as a man in the middle could send it.
  auto forged = *from_hex("17030300130102030405060708090a0b0c0d0e0f10111213");
  auto broken = pair.io.loop.run([](Pair& p, auto& s, auto& c, auto& bytes) -> Task<std::pair<IoResult, Error>> {
    auto [client_end, a] = make_memory_pipe();
    auto [server_end, b] = make_memory_pipe();
    TaskGroup group(co_await this_scope());
    group.spawn(p.dial(c, std::move(client_end)));
    group.spawn(p.accept(s, std::move(server_end)));
    std::vector<std::uint8_t> buffer(20'000);
    for (int turn = 0; turn < 100; ++turn) {
      for (auto [from, to] : {std::pair(a.get(), b.get()), std::pair(b.get(), a.get())}) {
        IoResult io = from->try_read(buffer);
        if (io.status == kOk) to->try_write(Bytes(buffer).first(io.bytes));
      }
      co_await yield();
    }
    co_await group.join();
    b->try_write(bytes);
    std::array<std::uint8_t, 10> got{};
    IoResult io = p.server->try_read(got);
    Error error = p.server->error(io.error);
    co_return std::pair(io, error);
  }(pair, *server, *client, forged));
  EXPECT_EQ(broken.first.error, EPROTO);
  EXPECT_EQ(broken.second.cause, Cause::protocol);
  EXPECT_TRUE(broken.second.text.starts_with("tls: broken by the client or on the way: ")) << broken.second.text;
  EXPECT_EQ(pair.server->try_write(as_bytes("x")).error, EPROTO);
  EXPECT_EQ(pair.server->try_shutdown().error, EPROTO);
}

}  // namespace
}  // namespace gost::tls
