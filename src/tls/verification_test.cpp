// Who accepts whom, and the sentence that both ends get.
#include "tls/testing/pair.hpp"

namespace gost::tls {
namespace {

using namespace std::chrono_literals;
using testing::Authority;
using testing::Pair;
using testing::TrustedEnds;

struct Outcomes {
  std::string client;  ///< "ok", or the cause and the sentence
  std::string server;
};

std::string show(const std::optional<Error>& error) {
  return error ? std::string(to_string(error->cause)) + " " + error->text : "ok";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Both handshakes, and then one byte from the server: with TLS 1.3 a client learns only then what the server thinks.
Outcomes meet(const ServerContext& server, const ClientContext& client, std::string host = "proxy.example") {
  Pair pair;
  pair.node_host = std::move(host);
  pair.connect(server, client);
  Outcomes outcomes{show(pair.client_error), show(pair.server_error)};
  if (!pair.client) return outcomes;
  if (pair.server) EXPECT_EQ(pair.server->try_write(as_bytes("x")).status, IoResult::Status::ok);
  std::array<std::uint8_t, 1> byte{};
  IoResult io = pair.client->try_read(byte);
  if (io.status == IoResult::Status::error) outcomes.client = show(pair.client->error(io.error));
  return outcomes;
}

Outcomes meet_as(TrustedEnds& ends, const Authority::Files& files, TlsClientOptions options,
                 std::string host = "proxy.example") {
  auto server = ends.server({.cert_file = files.cert, .key_file = files.key});
  return meet(*server, *ClientContext::make(std::move(options)).value(), std::move(host));
}

TEST(TlsVerification, NothingIsVerifiedByDefault) {
  TrustedEnds ends;
  auto files = ends.authority.self_signed("other", {.validity = 1h, .not_before = wall_now() - 2h});
  EXPECT_EQ(meet_as(ends, files, {}).client, "ok");
  EXPECT_EQ(meet_as(ends, files, {}, "").client, "ok");
}

TEST(TlsVerification, WithACaTheChainIsVerifiedAndNotTheName) {
  TrustedEnds ends;
  EXPECT_EQ(meet_as(ends, ends.files, {.ca_file = ends.authority.file()}, "another.example").client, "ok");
  auto strange = ends.authority.self_signed("strange");
  Outcomes outcomes = meet_as(ends, strange, {.ca_file = ends.authority.file()});
  EXPECT_EQ(outcomes.client,
            "auth tls: the server's certificate is self-signed and not trusted; name it as CA "
            "(caFile), or pin it (fingerprint " +
                strange.fingerprint.to_string() + ")");
  EXPECT_EQ(outcomes.server,
            "auth tls: the client does not accept our certificate (alert unknown_ca); it has to trust "
            "it (caFile, serverName) or pin it (fingerprint " +
                strange.fingerprint.to_string() + ")");
  EXPECT_EQ(meet_as(ends, strange, {.ca_file = strange.cert}).client, "ok");
}

TEST(TlsVerification, ACertificateCanBeTrustedWithoutItsCa) {
  TrustedEnds ends;
  EXPECT_EQ(meet_as(ends, ends.files, {.ca_file = ends.files.cert, .secure = true}).client, "ok");
}

TEST(TlsVerification, AnUnknownCaIsNamedWithWhatToDo) {
  TrustedEnds ends;
  Authority other(ends.directory, "other CA");
  Outcomes outcomes = meet_as(ends, other.sign("leaf"), {.ca_file = ends.authority.file()});
  EXPECT_TRUE(contains(outcomes.client, "signed by a CA that is not trusted here; name that CA (caFile), or pin"))
      << outcomes.client;
}

TEST(TlsVerification, SecureVerifiesTheNameToo) {
  TrustedEnds ends;
  TlsClientOptions secure{.ca_file = ends.authority.file(), .secure = true};
  EXPECT_EQ(meet_as(ends, ends.files, secure).client, "ok");
  EXPECT_EQ(meet_as(ends, ends.files, secure, "PROXY.example").client, "ok");
  Outcomes outcomes = meet_as(ends, ends.files, secure, "10.0.0.1");
  EXPECT_EQ(
      outcomes.client,
      "auth tls: the server's certificate is for proxy.example, not for 10.0.0.1; set serverName to one of these");
  EXPECT_TRUE(contains(outcomes.server, "does not accept our certificate")) << outcomes.server;
  EXPECT_EQ(meet_as(ends, ends.files, secure, "").client,
            "invalid tls: secure is set, but there is no name to verify; set serverName");
  secure.server_name = "proxy.example";
  EXPECT_EQ(meet_as(ends, ends.files, secure, "10.0.0.1").client, "ok");
  auto many = ends.authority.sign("many", {.names = {"a.example", "*.b.example", "10.0.0.1", "fd00::1"}});
  secure.server_name.clear();
  for (const char* host : {"a.example", "x.b.example", "10.0.0.1", "fd00::1"})
    EXPECT_EQ(meet_as(ends, many, secure, host).client, "ok") << host;
  for (const char* host : {"b.example", "x.y.b.example", "many", "10.0.0.2"})
    EXPECT_TRUE(
        contains(meet_as(ends, many, secure, host).client, "a.example, *.b.example, 10.0.0.1, fd00::1, not for"))
        << host;
}

TEST(TlsVerification, SecureWithoutACaUsesTheSystems) {
  TrustedEnds ends;
  ::setenv("SSL_CERT_FILE", ends.authority.file().c_str(), 1);
  EXPECT_EQ(meet_as(ends, ends.files, {.secure = true}).client, "ok");
  ::setenv("SSL_CERT_FILE", ends.directory.path("none").c_str(), 1);
  EXPECT_FALSE(ClientContext::make({.secure = true}));
  ::unsetenv("SSL_CERT_FILE");
}

TEST(TlsVerification, TimeIsVerified) {
  TrustedEnds ends;
  TlsClientOptions trusting{.ca_file = ends.authority.file()};
  auto over = ends.authority.sign("over", {.validity = 1h, .not_before = wall_now() - 2h});
  EXPECT_TRUE(contains(meet_as(ends, over, trusting).client, "auth tls: the server's certificate expired on 20"));
  EXPECT_TRUE(
      contains(meet_as(ends, over, trusting).server, "(alert certificate_expired); renew it, or compare the clocks"));
  auto early = ends.authority.sign("early", {.not_before = wall_now() + 2h});
  EXPECT_TRUE(contains(meet_as(ends, early, trusting).client, "the server's certificate is not valid before 20"));
}

TEST(TlsVerification, APinnedCertificateIsTheOnlyThingThatCounts) {
  TrustedEnds ends;
  auto files = ends.authority.self_signed("any", {.validity = 1h, .not_before = wall_now() - 2h});
  TlsClientOptions pinned{.ca_file = ends.authority.file(), .secure = true, .fingerprint = files.fingerprint};
  EXPECT_EQ(meet_as(ends, files, pinned).client, "ok") << "expired, self-signed and for another name";
  EXPECT_EQ(ClientContext::make(pinned).value()->verifies(), "the fingerprint");
  Outcomes outcomes = meet_as(ends, ends.files, pinned);
  EXPECT_EQ(outcomes.client, "auth tls: the server's certificate has the fingerprint " +
                                 ends.files.fingerprint.to_string() + ", expected is " +
                                 files.fingerprint.to_string() +
                                 "; if the server has a new certificate, change the fingerprint here");
}

TEST(TlsVerification, BothEndsCanShowCertificates) {
  TrustedEnds ends;
  auto me = ends.authority.sign("me");
  for (Version version : {Version::tls12, Version::tls13}) {
    auto server = ends.server({.ca_file = ends.authority.file(), .max_version = version});
    EXPECT_EQ(meet(*server, *ends.client({.cert_file = me.cert, .key_file = me.key})).client, "ok");

    Outcomes missing = meet(*server, *ends.client());
    EXPECT_EQ(missing.server,
              "auth tls: the client shows no certificate, and this server wants one (caFile); give the "
              "client one (certFile, keyFile)");
    if (version == Version::tls13) {
      EXPECT_EQ(missing.client,
                "auth tls: the server wants a client certificate (alert certificate_required); name one "
                "(certFile, keyFile)");
    } else {
      EXPECT_TRUE(contains(missing.client, "(alert handshake_failure)")) << missing.client;
      EXPECT_TRUE(contains(missing.client, "give a client certificate")) << missing.client;
    }

    auto strange = ends.authority.self_signed("strange");
    Outcomes refused = meet(*server, *ends.client({.cert_file = strange.cert, .key_file = strange.key}));
    EXPECT_EQ(refused.server,
              "auth tls: the client's certificate is self-signed and not trusted; add it to the CAs of "
              "this server (caFile); its fingerprint is " +
                  strange.fingerprint.to_string());
    EXPECT_TRUE(
        contains(refused.client, "auth tls: the server does not accept our client certificate (alert unknown_ca)"))
        << refused.client;
    EXPECT_TRUE(contains(refused.client, strange.fingerprint.to_string()));
  }
}

TEST(TlsVerification, NoVersionInCommon) {
  TrustedEnds ends;
  Outcomes outcomes =
      meet(*ends.server({.min_version = Version::tls13}), *ends.client({.max_version = Version::tls12}));
  EXPECT_EQ(outcomes.client,
            "protocol tls: no TLS version in common with the server (alert protocol_version); compare "
            "minVersion and maxVersion");
  EXPECT_EQ(outcomes.server,
            "protocol tls: no TLS version in common with the client; compare minVersion and maxVersion");
}

TEST(TlsVerification, NoCipherSuiteInCommon) {
  TrustedEnds ends;
  Outcomes outcomes = meet(
      *ends.server({.max_version = Version::tls12, .cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}),
      *ends.client({.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}}));
  EXPECT_TRUE(contains(outcomes.client, "protocol tls: nothing in common with the server (alert handshake_failure)"));
  EXPECT_TRUE(contains(outcomes.server, "protocol tls: no cipher suite in common with the client"));
}

TEST(TlsVerification, OldVersionsWorkIfAskedFor) {
  TrustedEnds ends;
  Pair pair;
  pair.connect(*ends.server({.min_version = Version::tls10}),
               *ends.client({.min_version = Version::tls10, .max_version = Version::tls10}));
  ASSERT_TRUE(pair.client) << pair.client_error->text;
  EXPECT_EQ(tls_info(*pair.client)->version, "TLSv1");
  Outcomes outcomes =
      meet(*ends.server(), *ends.client({.min_version = Version::tls10, .max_version = Version::tls11}));
  EXPECT_TRUE(contains(outcomes.server, "no TLS version in common")) << outcomes.server;
}

TEST(TlsVerification, UnknownServerNamesAreRejectedIfAskedFor) {
  TrustedEnds ends;
  auto listed = ends.server({.reject_unknown_sni = true, .server_names = {"proxy.example", "*.wild.example"}});
  auto client = ClientContext::make({}).value();
  for (const char* host : {"proxy.example", "Proxy.Example", "a.wild.example", "a.b.wild.example"})
    EXPECT_EQ(meet(*listed, *client, host).server, "ok") << host;
  Outcomes foreign = meet(*listed, *client, "wild.example");
  EXPECT_EQ(foreign.server,
            "denied tls: the client wants server \"wild.example\", which is not one of ours; add it to "
            "serverNames if it is");
  EXPECT_EQ(foreign.client,
            "denied tls: the server does not know the name \"wild.example\" (alert unrecognized_name); "
            "set serverName to one that it knows");
  Outcomes none = meet(*listed, *client, "10.0.0.1");
  EXPECT_EQ(none.server,
            "denied tls: the client did not say which server it wants (SNI), and rejectUnknownSNI is set");

  auto own = ends.server({.reject_unknown_sni = true});
  EXPECT_EQ(meet(*own, *client, "proxy.example").server, "ok") << "the name in the certificate";
  EXPECT_TRUE(contains(meet(*own, *client, "other.example").server, "not one of ours"));
  EXPECT_EQ(meet(*ends.server(), *client, "other.example").server, "ok");
}

TEST(TlsVerification, ServerNamesAreSentForNamesOnly) {
  TrustedEnds ends;
  auto sent = [&ends](const std::string& host, const std::string& server_name) {
    Pair pair;
    pair.node_host = host;
    pair.connect(*ends.server(), *ClientContext::make({.server_name = server_name}).value());
    return tls_info(*pair.server)->server_name;
  };
  EXPECT_EQ(sent("a.example", ""), "a.example");
  EXPECT_EQ(sent("a.example", "b.example"), "b.example");
  EXPECT_EQ(sent("10.0.0.1", "b.example"), "b.example");
  EXPECT_EQ(sent("10.0.0.1", ""), "");
  EXPECT_EQ(sent("fe80::1%lo", ""), "");
  EXPECT_EQ(sent("", ""), "");
}

TEST(TlsVerification, ApplicationProtocolsAreNegotiated) {
  TrustedEnds ends;
  auto server = ends.server({.alpn = {"h2", "http/1.1"}});
  auto chosen = [&](std::vector<std::string> offered) {
    Pair pair;
    pair.connect(*server, *ends.client({.alpn = std::move(offered)}));
    return pair.client ? tls_info(*pair.client)->alpn : pair.client_error->text;
  };
  EXPECT_EQ(chosen({"http/1.1", "h2"}), "h2") << "the server's order";
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({"imap"}),
            "tls: no application protocol in common with the server (alert "
            "no_application_protocol); compare alpn");
}

std::string told_by_server(std::string_view said, const MemoryPipeOptions& pipe = {}) {
  TrustedEnds ends;
  auto context = ends.server();
  Pair pair;
  return pair.io.loop.run(
      [](Pair& p, auto& c, std::string_view text, MemoryPipeOptions options) -> Task<std::string> {
        auto [below, peer] = make_memory_pipe(options);
        std::ignore = co_await write_all(*peer, as_bytes(text));
        if (text.empty()) peer->try_shutdown();
        co_await p.accept(c, std::move(below));
        co_return show(p.server_error);
      }(pair, *context, said, pipe));
}

TEST(TlsVerification, PlainTextOnATlsPortIsRecognised) {
  std::string begin = "protocol tls: first record does not look like a TLS handshake: the client speaks ";
  std::string end = " on this TLS port; let it use TLS, or another port";
  EXPECT_EQ(told_by_server("\x05\x01"), begin + "plain SOCKS5" + end) << "shorter than a record's header";
  EXPECT_EQ(told_by_server(std::string_view("\x04\x01\x00\x50", 4)), begin + "plain SOCKS4" + end);
  EXPECT_EQ(told_by_server("GET / HTTP/1.1\r\n\r\n"), begin + "plain HTTP" + end);
  EXPECT_EQ(told_by_server("CONNECT a:443 HTTP/1.1\r\n\r\n", {.read_at_most = 1}), begin + "plain HTTP" + end);
  EXPECT_EQ(told_by_server("SSH-2.0-x"), begin + "SSH" + end);
  EXPECT_EQ(told_by_server("\xff\x01"), begin + "something else (it begins with 0xff01)" + end);
  EXPECT_TRUE(contains(told_by_server(std::string_view("\x16\x03\x01\x00\x05hello", 10)),
                       "protocol tls: broken by the client"));
  EXPECT_EQ(told_by_server(""),
            "eof tls: the client closed the connection during the handshake; perhaps it does not "
            "accept our certificate");
}

std::string told_by_client(std::string_view said) {
  TrustedEnds ends;
  auto context = ends.client();
  Pair pair;
  return pair.io.loop.run([](Pair& p, auto& c, std::string_view text) -> Task<std::string> {
    auto [below, peer] = make_memory_pipe();
    std::ignore = co_await write_all(*peer, as_bytes(text));
    if (text.empty()) peer->try_shutdown();
    co_await p.dial(c, std::move(below));
    co_return show(p.client_error);
  }(pair, *context, said));
}

TEST(TlsVerification, AServerThatDoesNotSpeakTlsIsRecognised) {
  EXPECT_EQ(told_by_client("HTTP/1.1 400 Bad Request\r\n"),
            "protocol tls: first record does not look like a TLS "
            "handshake: the server speaks plain HTTP; is this its TLS port?");
  EXPECT_EQ(told_by_client("\x05\xff"),
            "protocol tls: first record does not look like a TLS handshake: the server speaks "
            "plain SOCKS5; is this its TLS port?");
  EXPECT_EQ(told_by_client(""),
            "eof tls: the server closed the connection during the handshake; does it speak TLS on this port?");
}

TEST(TlsVerification, SilenceEndsWithTheCallersDeadline) {
  TrustedEnds ends;
  auto context = ends.server();
  Pair pair;
  pair.io.loop.run([](Pair& p, auto& c) -> Task<> {
    auto [below, peer] = make_memory_pipe();
    co_await p.accept(c, std::move(below));
    std::array<std::uint8_t, 1> byte{};
    EXPECT_EQ(peer->try_read(byte).status, IoResult::Status::eof) << "the lower stream is closed";
  }(pair, *context));
  EXPECT_EQ(show(pair.server_error), "timeout tls handshake: i/o timeout");
}

}  // namespace
}  // namespace gost::tls
