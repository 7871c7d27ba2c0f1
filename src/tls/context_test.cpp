#include "tls/testing/pair.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace gost::tls {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using testing::TrustedEnds;
namespace fs = std::filesystem;

std::string server_error(TlsServerOptions options) {
  auto made = ServerContext::make(std::move(options));
  return made ? "made" : made.error().text;
}
std::string client_error(TlsClientOptions options) {
  auto made = ClientContext::make(std::move(options));
  return made ? "made" : made.error().text;
}

TEST(TlsContext, ErrorsOfOptionsAndFilesAreToldAtStart) {
  TrustedEnds ends;
  EXPECT_EQ(server_error({}), "tls: this server has no certificate; name one (certFile, keyFile)");
  EXPECT_EQ(server_error({.cert_file = "nope.pem"}), "certificate file nope.pem: no such file or directory");
  TlsServerOptions good{.cert_file = ends.files.cert, .key_file = ends.files.key};
  auto with = [&good](auto change) {
    auto options = good;
    change(options);
    return server_error(options);
  };
  EXPECT_EQ(with([](auto&) {}), "made");
  EXPECT_EQ(with([](auto& it) { it.ca_file = "nope.pem"; }), "CA file nope.pem: no such file or directory");
  EXPECT_NE(with([&](auto& it) { it.ca_file = ends.files.key; }).find("has no certificate in PEM form"),
            std::string::npos);
  EXPECT_NE(
      with([](auto& it) { it.min_version = Version::tls13, it.max_version = Version::tls12; }).find("minVersion"),
      std::string::npos);
  EXPECT_NE(with([](auto& it) { it.cipher_suites = {"nonsense"}; }).find("cipherSuites: unknown"), std::string::npos);
  EXPECT_NE(with([](auto& it) { it.alpn = {""}; }).find("alpn"), std::string::npos);
  EXPECT_EQ(client_error({.ca_file = "nope.pem"}), "CA file nope.pem: no such file or directory");
  EXPECT_NE(client_error({.key_file = ends.files.key}).find("without a certificate"), std::string::npos);
  EXPECT_EQ(client_error({}), "made");
}

TEST(TlsContext, TheDefaultCertificateStandsInForFiles) {
  auto identity = std::make_shared<const Identity>(generate_certificate({}).value());
  auto server = ServerContext::make({.default_certificate = identity}).value();
  EXPECT_EQ(server->fingerprint(), fingerprint_of(*identity->certificate));
  EXPECT_TRUE(server->expires().ends_with(" UTC"));
  EXPECT_EQ(server->reload_if_changed(), false);
  auto client = ClientContext::make({}).value();
  EXPECT_EQ(client->verifies(), "nothing");
  Pair pair;
  pair.connect(*server, *client);
  ASSERT_TRUE(pair.client && pair.server);
  EXPECT_EQ(tls_info(*pair.client)->peer, server->fingerprint());
}

TEST(TlsContext, EveryLoopHasItsOwnContextOnce) {
  TrustedEnds ends;
  auto server = ends.server();
  auto client = ends.client();
  IoContext one(Loop::Time::simulated);
  IoContext two(Loop::Time::simulated);
  SSL_CTX* of_one = server->context_for(one);
  EXPECT_EQ(server->context_for(one), of_one);
  EXPECT_NE(server->context_for(two), of_one);
  EXPECT_EQ(client->context_for(one), client->context_for(one));
  EXPECT_NE(client->context_for(one), client->context_for(two));
}

TEST(TlsContext, LoopsMayComeWhileFilesChange) {
  TrustedEnds ends;
  auto server = ends.server();
  std::array<IoContext, 4> loops;
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  for (IoContext& io : loops)
    threads.emplace_back([&io, &context = *server, &done] {
      while (!done) EXPECT_NE(context.context_for(io), nullptr);
    });
  for (int round = 0; round < 4; ++round) {
    fs::last_write_time(ends.files.cert, fs::last_write_time(ends.files.cert) + 1s);
    EXPECT_EQ(server->reload_if_changed(), true);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(TlsContext, ATicketIsOfUseOnEveryLoop) {
  TrustedEnds ends;
  auto server = ends.server({.max_version = Version::tls12});
  auto client = ends.client();
  IoContext other(Loop::Time::simulated);
  Pair pair;
  pair.connect(*server, *client);
  ASSERT_TRUE(pair.server);
  pair.client.reset();
  auto resumed = pair.io.loop.run([](Pair& p, IoContext& io, auto& s, auto& c) -> Task<bool> {
    // The server's side uses the context of another loop; it runs on this one all the same.
    auto below = make_memory_pipe();
    auto stream = std::make_unique<TlsStream>(io, std::move(below.first));
    auto ssl = s.start(io, stream->connection());
    TaskGroup group(co_await this_scope());
    group.spawn(p.dial(c, std::move(below.second)));
    auto done = co_await stream->handshake(std::move(*ssl));
    co_await group.join();
    co_return done && stream->info().resumed;
  }(pair, other, *server, *client));
  EXPECT_TRUE(resumed);
}

TEST(TlsContext, ChangedFilesAreReadAgainAndConnectionsGoOn) {
  TrustedEnds ends;
  auto server = ends.server();
  auto client = ends.client();
  Pair before;
  before.connect(*server, *client);
  ASSERT_TRUE(before.client);
  EXPECT_EQ(server->reload_if_changed(), false);

  auto renewed = ends.authority.sign("renewed", {.names = {"proxy.example"}});
  fs::rename(renewed.cert, ends.files.cert);
  auto half = server->reload_if_changed();
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().text.find("does not fit"), std::string::npos);
  EXPECT_EQ(server->reload_if_changed(), false) << "told once";
  EXPECT_EQ(server->fingerprint(), ends.files.fingerprint);
  fs::rename(renewed.key, ends.files.key);
  EXPECT_EQ(server->reload_if_changed(), true);
  EXPECT_EQ(server->fingerprint(), renewed.fingerprint);

  Pair after;
  after.connect(*server, *client);
  ASSERT_TRUE(after.client) << after.client_error->text;
  EXPECT_EQ(tls_info(*after.client)->peer, renewed.fingerprint);
  before.io.loop.run([](Pair& p) -> Task<> {
    EXPECT_TRUE(co_await write_all(*p.client, as_bytes("still here")));
    std::array<std::uint8_t, 10> got{};
    EXPECT_TRUE(co_await read_exactly(*p.server, got));
  }(before));

  fs::remove(ends.files.cert);
  EXPECT_FALSE(server->reload_if_changed());
  EXPECT_EQ(server->reload_if_changed(), false);
  EXPECT_EQ(server->fingerprint(), renewed.fingerprint);
}

TEST(TlsContext, AClientShowsItsNewCertificateAndTrustsItsNewAuthority) {
  TrustedEnds ends;
  auto old = ends.authority.sign("client-1");
  auto server = ends.server({.ca_file = ends.authority.file()});
  auto client = ends.client({.cert_file = old.cert, .key_file = old.key});
  Pair pair;
  pair.connect(*server, *client);
  ASSERT_TRUE(pair.server) << pair.server_error->text;
  EXPECT_EQ(tls_info(*pair.server)->peer, old.fingerprint);
  EXPECT_EQ(client->reload_if_changed(), false);

  auto renewed = ends.authority.sign("client-2");
  fs::rename(renewed.cert, old.cert);
  EXPECT_FALSE(client->reload_if_changed()) << "its key is not there yet";
  fs::rename(renewed.key, old.key);
  EXPECT_EQ(client->reload_if_changed(), true);
  pair.connect(*server, *client);
  ASSERT_TRUE(pair.server) << pair.server_error->text;
  EXPECT_EQ(tls_info(*pair.server)->peer, renewed.fingerprint);
  EXPECT_FALSE(tls_info(*pair.server)->resumed);

  testing::Authority stranger(ends.directory);
  ASSERT_EQ(stranger.file(), ends.authority.file());
  EXPECT_EQ(client->reload_if_changed(), true);
  pair.connect(*server, *client);
  EXPECT_FALSE(pair.client) << "the server's certificate is not of the new authority";
}

TEST(TlsContext, AContextMayGoBeforeItsStreams) {
  TrustedEnds ends;
  Pair pair;
  {
    auto server = ends.server();
    auto client = ends.client();
    pair.connect(*server, *client);
  }
  ASSERT_TRUE(pair.client && pair.server);
  pair.io.loop.run([](Pair& p) -> Task<> {
    EXPECT_TRUE(co_await write_all(*p.server, as_bytes("x")));
    std::array<std::uint8_t, 1> got{};
    EXPECT_TRUE(co_await read_exactly(*p.client, got)) << "the ticket comes first";
  }(pair));
}

TEST(TlsSessionCache, TicketsOfTls13AreUsedOnceAndTheLastFewAreKept) {
  auto session = [](int version) {
    SessionPtr made(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(made.get(), version);
    static const unsigned char kId[] = {1};
    SSL_SESSION_set1_id(made.get(), kId, sizeof kId);
    return made;
  };
  SessionCache cache;
  cache.put("a", session(TLS1_2_VERSION));
  cache.put("a", session(TLS1_2_VERSION));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_TRUE(cache.take("a"));
  EXPECT_TRUE(cache.take("a"));
  EXPECT_FALSE(cache.take("b"));
  cache.put("b", session(TLS1_3_VERSION));
  EXPECT_TRUE(cache.take("b"));
  EXPECT_FALSE(cache.take("b"));
  for (int i = 0; i < 20; ++i) cache.put("b", session(TLS1_3_VERSION));
  EXPECT_EQ(cache.size(), 8U);
  EXPECT_FALSE(cache.take("a"));
}

}  // namespace
}  // namespace gost::tls
