#include "socks5/connector.hpp"

#include "component/testing/scripted_proxy.hpp"
#include "observe/log_capture.hpp"
#include "tls/testing/pair.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::ScriptedProxy;
using Connected = Result<std::unique_ptr<Stream>>;
using Opened = Result<std::unique_ptr<Datagram>>;

const std::string kRequest = "050100017f0000015a8f";
const std::string kGranted = "05000001000000000000";
const std::string kTunnelRequest = "05f30101000000000000";
const std::string kAssociateRequest = "05030001000000000000";
const Endpoint kTarget{"127.0.0.1", 0x5a8f};
const ConnectorOptions kBob{.user = "bob", .password = "secret"};

class Socks5Connector : public ::testing::Test {
 protected:
  Connected connect(ScriptedProxy& proxy, const ConnectorOptions& options = {}, Endpoint target = kTarget) {
    auto connector = make_connector(options).value();
    TimePoint start = io_.loop.now();
    auto connected = io_.loop.run(proxy.serve(connector->connect(io_, proxy, std::move(target))));
    took_ = io_.loop.now() - start;
    return connected;
  }
  Opened open(ScriptedProxy& proxy, const ConnectorOptions& options = {}) {
    auto connector = make_connector(options).value();
    return open(proxy, *connector);
  }
  Opened open(ScriptedProxy& proxy, const Connector& connector) {
    return io_.loop.run(proxy.serve(connector.open_datagram(io_, proxy)));
  }
  Error error_of(ScriptedProxy::Script script, const ConnectorOptions& options = {}) {
    ScriptedProxy proxy{std::move(script)};
    auto connected = connect(proxy, options);
    EXPECT_FALSE(connected);
    admissions_ = proxy.admissions;
    return connected ? Error{} : connected.error();
  }
  /// The request for `target`.
  std::string asked(Endpoint target) {
    ScriptedProxy proxy{{{"050100", "0500"}, {std::string(600, '0'), ""}}};
    std::ignore = connect(proxy, {.timeout = 1s}, std::move(target));
    return proxy.received[0].substr(6);
  }

  IoContext io_{Loop::Time::simulated};
  Duration took_{};
  int admissions_ = 0;
};

// The vectors socks5-client-*.
TEST_F(Socks5Connector, WithoutCredentialsOffersNone) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kRequest, kGranted}}};
  EXPECT_TRUE(connect(proxy));
  EXPECT_EQ(proxy.received[0], "050100" + kRequest);
  EXPECT_EQ(proxy.admissions, 1);
}

TEST_F(Socks5Connector, WithCredentialsOffersBothAndSendsThemWhenAsked) {
  ScriptedProxy proxy{{{"05020002", "0502"}, {"0103626f6206736563726574", "0100"}, {kRequest, kGranted}}};
  EXPECT_TRUE(connect(proxy, kBob));
  EXPECT_EQ(proxy.received[0], "050200020103626f6206736563726574" + kRequest);
  ScriptedProxy open{{{"05020002", "0500"}, {kRequest, kGranted}}};
  EXPECT_TRUE(connect(open, kBob));
  EXPECT_EQ(open.received[0], "05020002" + kRequest);
  ScriptedProxy user_only{{{"05020002", "0502"}, {"0103626f6200", "0100"}, {kRequest, kGranted}}};
  EXPECT_TRUE(connect(user_only, {.user = "bob"}));
  EXPECT_EQ(user_only.received[0], "050200020103626f6200" + kRequest);
}

TEST_F(Socks5Connector, AMethodThatWasNotOfferedGetsEmptyCredentials) {
  ScriptedProxy proxy{{{"050100", "0502"}, {"010000", "0100"}, {kRequest, kGranted}}};
  EXPECT_TRUE(connect(proxy));
  EXPECT_EQ(proxy.received[0], "050100010000" + kRequest);
}

TEST_F(Socks5Connector, AsksForEveryKindOfHost) {
  EXPECT_EQ(asked({"", 80}), "050100017f0000010050");
  EXPECT_EQ(asked({"localhost", 80}), "05010003096c6f63616c686f73740050");
  EXPECT_EQ(asked({"::1", 80}), "05010004000000000000000000000000000000010050");
  EXPECT_EQ(asked({"::ffff:127.0.0.1", 80}), "050100017f0000010050");
}

TEST_F(Socks5Connector, AcceptsEveryKindOfBoundAddressAndKeepsWhatFollows) {
  for (const char* reply : {"05000001000000000000", "05000004000000000000000000000000000000011234", "05000003001234",
                            "05000003096c6f63616c686f73741234", "05005501000000000000"}) {
    ScriptedProxy proxy{{{"050100", "0500"}, {kRequest, std::string(reply) + "62616e6e6572"}}};
    auto stream = connect(proxy);
    ASSERT_TRUE(stream) << reply;
    EXPECT_EQ(testing::read_now(**stream), "banner") << reply;
  }
}

TEST_F(Socks5Connector, AReplyThatComesBeforeTheRequestIsTakenForIts) {
  ScriptedProxy proxy{{{"050100", "0500" + kGranted + "62616e6e6572"}, {kRequest, ""}}};
  auto stream = connect(proxy);
  ASSERT_TRUE(stream);
  EXPECT_EQ(testing::read_now(**stream), "banner");
}

TEST_F(Socks5Connector, BadChoicesOfAMethodAreToldApart) {
  Error error = error_of({{"050100", "05ff"}});
  EXPECT_EQ(error.cause, Cause::auth);
  EXPECT_EQ(error.text, "socks5: the proxy wants authentication, and there are no credentials for it (method ff)");
  EXPECT_EQ(error_of({{"05020002", "05ff"}}, kBob).text,
            "socks5: the proxy accepts neither the credentials' method nor none (method ff)");
  error = error_of({{"050100", "0503"}});
  EXPECT_EQ(error.cause, Cause::protocol);
  EXPECT_EQ(error.text, "socks5: the proxy chose method 03, which was not offered");
  EXPECT_EQ(error_of({{"050100", "0580"}}).cause, Cause::protocol) << "TLS was not offered";
  EXPECT_EQ(error_of({{"050100", "0400"}}).text, "socks5: choice of a method: bad version 4, expected 5");
  EXPECT_EQ(admissions_, 0);
}

TEST_F(Socks5Connector, RefusedCredentialsAreAnErrorOfAuthentication) {
  Error error = error_of({{"05020002", "0502"}, {"0103626f6206736563726574", "0101"}}, kBob);
  EXPECT_EQ(error.cause, Cause::auth);
  EXPECT_EQ(error.text, "socks5: the proxy refused the user name or the password");
  EXPECT_EQ(error_of({{"05020002", "0502"}, {"0103626f6206736563726574", "0500"}}, kBob).cause, Cause::protocol);
  EXPECT_EQ(admissions_, 0);
}

TEST_F(Socks5Connector, RefusalsHaveTheCauseOfTheirReply) {
  static constexpr std::array kCauses{
      Cause::other,   Cause::denied,  Cause::network_unreachable, Cause::host_unreachable, Cause::refused,
      Cause::timeout, Cause::command, Cause::address_type};
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    Error error = error_of({{"050100", "0500"}, {kRequest, "050" + std::to_string(i + 1) + "0001000000000000"}});
    EXPECT_EQ(error.cause, kCauses[i]) << i + 1;
    EXPECT_EQ(admissions_, 1);
  }
  EXPECT_EQ(error_of({{"050100", "0500"}, {kRequest, "05050001000000000000"}}).text,
            "socks5: connection refused (reply 05)");
  EXPECT_EQ(error_of({{"050100", "0500"}, {kRequest, "05550001000000000000"}}).text,
            "socks5: unknown failure (reply 55)");
}

TEST_F(Socks5Connector, MalformedRepliesAreFaultsOfTheProxy) {
  Error error = error_of({{"050100", "0500"}, {kRequest, "05000000000000000000"}});
  EXPECT_EQ(error.cause, Cause::protocol);
  EXPECT_EQ(error.text, "socks5: reply: bad address type 0");
  EXPECT_EQ(error_of({{"050100", "0500"}, {kRequest, "04000001000000000000"}}).cause, Cause::protocol);
}

TEST_F(Socks5Connector, AnEndInTheMiddleIsTold) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kRequest, "050000"}}};
  proxy.hangs_up = true;
  Error error = connect(proxy).error();
  EXPECT_EQ(error.cause, Cause::eof);
  EXPECT_EQ(error.text, "socks5: reply: unexpected EOF");
}

TEST_F(Socks5Connector, TheWholeHandshakeHasOneTimeLimit) {
  for (auto [timeout, expected] : {std::pair{15s, 15s}, {2s, 2s}, {0s, 15s}}) {
    ScriptedProxy proxy{{{"050100", "0500"}, {kRequest, "0500"}}};
    auto connected = connect(proxy, {.timeout = timeout});
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().cause, Cause::timeout);
    EXPECT_EQ(took_, expected);
  }
}

TEST_F(Socks5Connector, HostsAndCredentialsThatDoNotFitAreRefusedBeforeAnythingIsOpened) {
  ScriptedProxy proxy{ScriptedProxy::Script{}};
  EXPECT_EQ(connect(proxy, {}, {std::string(256, 'h'), 80}).error().cause, Cause::invalid);
  EXPECT_TRUE(proxy.streams.empty());
  EXPECT_FALSE(make_connector({.user = std::string(256, 'u')}));
  EXPECT_FALSE(make_connector({.user = "u", .password = std::string(256, 'p')}));
}

TEST_F(Socks5Connector, AProxyThatCannotBeReachedIsToldAsItIs) {
  ScriptedProxy proxy;
  EXPECT_EQ(connect(proxy).error().text, "dial tcp: connection refused");
}

TEST_F(Socks5Connector, AnySegmentationIsTheSame) {
  for (std::size_t piece : {1U, 3U}) {
    for (std::size_t capacity : {1U, 5U, 1000U}) {
      ScriptedProxy proxy{{{"05020002", "0502"}, {"0103626f6206736563726574", "0100"}, {kRequest, kGranted}}};
      proxy.pipe = {.capacity = capacity, .read_at_most = piece};
      EXPECT_TRUE(connect(proxy, kBob));
      EXPECT_EQ(proxy.received[0], "050200020103626f6206736563726574" + kRequest);
    }
  }
}

TEST_F(Socks5Connector, EndsWhereverTheConnectionBreaks) {
  std::size_t steps = 0;
  for (;; ++steps) {
    ScriptedProxy proxy{{{"05020002", "0502"}, {"0103626f6206736563726574", "0100"}, {kRequest, kGranted}}};
    proxy.pipe = {.read_at_most = 1, .fail_at = steps};
    auto connected = connect(proxy, kBob);
    if (connected) break;
    EXPECT_EQ(connected.error().cause, Cause::reset) << steps;
  }
  EXPECT_EQ(steps, 3U + 2 + 2 + 10) << "three writes, and a read for every byte";
}

TEST_F(Socks5Connector, DatagramsTravelInTheStreamByDefault) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, "050000017f0000018b96"}}};
  auto datagram = open(proxy);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(proxy.received[0], "050100" + kTunnelRequest);
  EXPECT_EQ((*datagram)->local().to_string(), "127.0.0.1:35734");
  EXPECT_EQ((*datagram)->layers(), "memory,socks5");
  const OutgoingDatagram empty{.peer = SocketAddress(IpAddress(), 1)};
  EXPECT_EQ((*datagram)->try_send({&empty, 1}).dropped, 1U) << "GOST would lose its place";
}

TEST_F(Socks5Connector, EmptyDatagramsAreForServersThatSayTheyUnderstandThem) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, "050001017f0000018b96"}}};
  auto datagram = open(proxy);
  ASSERT_TRUE(datagram);
  const OutgoingDatagram empty{.peer = SocketAddress(IpAddress(), 1)};
  EXPECT_EQ((*datagram)->try_send({&empty, 1}).sent, 1U);
}

TEST_F(Socks5Connector, WithRelayUdpAsksForAnAssociation) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
  auto datagram = open(proxy, {.relay_udp = true});
  ASSERT_TRUE(datagram);
  EXPECT_EQ(proxy.received[0], "050100" + kAssociateRequest);
  ASSERT_EQ(proxy.relays.size(), 1U);
  EXPECT_EQ(proxy.relays[0].to_string(), "127.0.0.1:23187");
  EXPECT_EQ((*datagram)->local(), proxy.relays[0]);
}

TEST_F(Socks5Connector, FallsBackToAnAssociationOnceAndSaysSo) {
  for (const char* refusal : {"05070001000000000000", "05020001000000000000"}) {
    auto lines = std::make_shared<LogCapture>();
    auto connector = make_connector({.log = Logger(lines, Level::info)}).value();
    ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, refusal}},
                        {{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
    EXPECT_TRUE(open(proxy, *connector)) << refusal;
    auto said = lines->take();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("192.0.2.1:1080"), std::string::npos);
    EXPECT_NE(said[0].find(std::string("reply ") + refusal[2] + refusal[3]), std::string::npos) << said[0];

    ScriptedProxy again{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
    EXPECT_TRUE(open(again, *connector)) << "the connector remembers";
    EXPECT_TRUE(lines->take().empty());
  }
}

TEST_F(Socks5Connector, AProxyThatHangsUpOnATunnelIsAskedForAnAssociation) {
  auto lines = std::make_shared<LogCapture>();
  auto connector = make_connector({.log = Logger(lines, Level::info)}).value();
  auto hang_up = [&] {
    ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, ""}},
                        {{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
    proxy.hangs_up = true;
    return open(proxy, *connector).has_value();
  };
  auto refused = [&lines] {
    auto said = lines->take();
    EXPECT_EQ(said.size(), 1U);
    return !said.empty() && said[0].contains("has no UDP over TCP");
  };
  EXPECT_TRUE(hang_up());
  EXPECT_FALSE(refused()) << "for once it may be something else";
  ScriptedProxy works{{{"050100", "0500"}, {kTunnelRequest, "050000017f0000015a93"}}};
  EXPECT_TRUE(open(works, *connector));
  for (bool third : {false, false, true}) {
    EXPECT_TRUE(hang_up());
    EXPECT_EQ(refused(), third);
  }
  ScriptedProxy again{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
  EXPECT_TRUE(open(again, *connector)) << "not asked any more";
}

TEST_F(Socks5Connector, AProxyThatHangsUpBeforeItLetUsInIsNotAskedAgain) {
  ScriptedProxy proxy{{{"050100", ""}}, {{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
  proxy.hangs_up = true;
  EXPECT_EQ(open(proxy).error().cause, Cause::eof);
  EXPECT_EQ(proxy.streams.size(), 1U);
}

TEST_F(Socks5Connector, WhenBothWaysAreRefusedBothAreNamedAndNothingIsRemembered) {
  auto lines = std::make_shared<LogCapture>();
  auto connector = make_connector({.log = Logger(lines, Level::info)}).value();
  for (int time = 0; time < 2; ++time) {
    ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, "05020001000000000000"}},
                        {{"050100", "0500"}, {kAssociateRequest, "05020001000000000000"}}};
    Error error = open(proxy, *connector).error();
    EXPECT_EQ(error.cause, Cause::denied);
    EXPECT_EQ(error.text,
              "socks5: UDP tunnel: not allowed by the proxy (reply 02); "
              "socks5: UDP associate: not allowed by the proxy (reply 02)");
    EXPECT_TRUE(proxy.relays.empty());
  }
  EXPECT_TRUE(lines->take().empty());
}

TEST_F(Socks5Connector, OtherRefusalsOfATunnelAreNoReasonToFallBack) {
  for (const char* refusal : {"05010001000000000000", "05050001000000000000"}) {
    ScriptedProxy proxy{{{"050100", "0500"}, {kTunnelRequest, refusal}}, {}};
    EXPECT_FALSE(open(proxy));
    EXPECT_EQ(proxy.streams.size(), 1U);
  }
}

TEST_F(Socks5Connector, AnAssociationThatCannotBeReachedIsAnError) {
  ScriptedProxy proxy{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
  proxy.datagram_error = Error{Cause::exhausted, "no descriptors"};
  EXPECT_EQ(open(proxy, {.relay_udp = true}).error().text, "no descriptors");
  ScriptedProxy no_port{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000010000"}}};
  EXPECT_EQ(open(no_port, {.relay_udp = true}).error().text,
            "socks5: UDP associate: the proxy names no port for its relay");
}

TEST_F(Socks5Connector, OpeningDatagramsEndsWhereverTheConnectionBreaks) {
  std::size_t steps = 0;
  for (;; ++steps) {
    ScriptedProxy proxy{{{"050100", "0500"}, {kAssociateRequest, "050000017f0000015a93"}}};
    proxy.pipe = {.read_at_most = 1, .fail_at = steps};
    auto opened = open(proxy, {.relay_udp = true});
    if (opened) break;
    EXPECT_EQ(opened.error().cause, Cause::reset) << steps;
  }
  EXPECT_EQ(steps, 2U + 2 + 10);
}

/// A proxy that answers the greeting with a method, and begins TLS for 0x80 and 0x82.
class EncryptingProxy final : public Underlay {
 public:
  explicit EncryptingProxy(const tls::ServerContext& context) : context_(context) {}

  std::uint8_t method = 0x80;
  std::string login_answer = "0100";
  MemoryPipeOptions pipe;  ///< of our end
  Endpoint address{"proxy.example", 1080};
  std::string greeting;              ///< what was heard, hex
  std::string inside;                ///< behind the choice, inside TLS if there was any
  std::optional<tls::TlsInfo> info;  ///< of the TLS that was made
  int admissions = 0;

  Task<Result<std::unique_ptr<Stream>>> open_stream() override {
    auto [near, far] = make_memory_pipe(pipe);
    group_->spawn(play(std::move(far)));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(SocketAddress) override {
    co_return fail(Cause::other, "no datagrams here");
  }
  const Endpoint& proxy() const override { return address; }
  void admitted() override { ++admissions; }

  Connected serve(IoContext& io, const Connector& connector) {
    io_ = &io;
    return io.loop.run(run(connector));
  }

 private:
  Task<Connected> run(const Connector& connector) {
    TaskGroup group(co_await this_scope());
    group_ = &group;
    auto connected = co_await connector.connect(*io_, *this, kTarget);
    for (int turn = 0; turn < 100; ++turn) co_await yield();
    group.stop();
    co_await group.join();
    co_return connected;
  }

  Task<> play(std::unique_ptr<Stream> stream) {
    greeting = co_await hear(*stream, 2);
    greeting += co_await hear(*stream, from_hex(greeting).value()[1]);
    co_await say(*stream, "05" + to_hex(std::array{method}));
    if (method >= 0x80) {
      auto encrypted = co_await tls::tls_accept(*io_, std::move(stream), context_);
      if (!encrypted) co_return;
      stream = std::move(*encrypted);
      info = tls::tls_info(*stream);
    }
    if ((method & 0x7f) == 2) {
      std::string login = co_await hear(*stream, 2);
      login += co_await hear(*stream, from_hex(login).value()[1] + std::size_t{1});
      login += co_await hear(*stream, from_hex(login).value().back());
      inside += login + "|";
      co_await say(*stream, login_answer);
    }
    inside += co_await hear(*stream, 10);
    co_await say(*stream, kGranted + "62616e6e6572");
    co_await hear(*stream, 1);
  }

  static Task<std::string> hear(Stream& stream, std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    auto read = co_await read_exactly(stream, bytes);
    co_return read ? to_hex(bytes) : std::string(2 * count, '0');
  }
  static Task<> say(Stream& stream, std::string hex) {
    auto bytes = from_hex(hex).value();
    std::ignore = co_await write_all(stream, bytes);
  }

  const tls::ServerContext& context_;
  IoContext* io_ = nullptr;
  TaskGroup* group_ = nullptr;
};

class EncryptedSocks5Connector : public ::testing::Test {
 protected:
  Connected connect(EncryptingProxy& proxy, ConnectorOptions options = {}) {
    auto connector = make_connector(std::move(options)).value();
    return proxy.serve(io_, *connector);
  }
  std::shared_ptr<const tls::ClientContext> client(tls::TlsClientOptions options = {}) const {
    return tls::ClientContext::make(std::move(options)).value();
  }

  IoContext io_{Loop::Time::simulated};
  tls::testing::TrustedEnds ends_;
  std::unique_ptr<tls::ServerContext> server_ = ends_.server();
};

// wire.md §2.2: what is offered, and that a choice is followed although it was not offered (GOST 3.2.6).
TEST_F(EncryptedSocks5Connector, TheTableOfChoices) {
  struct Row {
    std::string user;
    bool tls;
    std::string offered;
    std::vector<std::pair<std::uint8_t, std::string>> choices;  ///< and what is said then
  };
  const std::string login = "0103626f6206736563726574|";
  const Row rows[] = {
      {"", true, "05020080", {{0x80, ""}, {0x00, ""}, {0x82, "010000|"}, {0x02, "010000|"}}},
      {"bob", true, "050400028082", {{0x80, ""}, {0x00, ""}, {0x82, login}, {0x02, login}}},
      {"", false, "050100", {{0x00, ""}, {0x02, "010000|"}}},
      {"bob", false, "05020002", {{0x00, ""}, {0x02, login}}},
  };
  for (const Row& row : rows) {
    for (const auto& [method, before] : row.choices) {
      EncryptingProxy proxy(*server_);
      proxy.method = method;
      ConnectorOptions options{.user = row.user, .password = row.user.empty() ? "" : "secret"};
      if (row.tls) options.tls = client();
      auto stream = connect(proxy, options);
      ASSERT_TRUE(stream) << row.offered << " " << int{method} << ": " << stream.error().text;
      EXPECT_EQ(proxy.greeting, row.offered);
      EXPECT_EQ(proxy.inside, before + kRequest) << row.offered << " " << int{method};
      EXPECT_EQ(testing::read_now(**stream), "banner");
      EXPECT_EQ((*stream)->layers().ends_with(",tls"), method >= 0x80);
      EXPECT_EQ(proxy.admissions, 1);
    }
  }
}

TEST_F(EncryptedSocks5Connector, WithoutTlsItsMethodsAreRefused) {
  for (auto method : {std::uint8_t{0x80}, std::uint8_t{0x82}}) {
    EncryptingProxy proxy(*server_);
    proxy.method = method;
    auto connected = connect(proxy, kBob);
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().cause, Cause::protocol);
    EXPECT_EQ(connected.error().text,
              "socks5: the proxy chose method " + to_hex(std::array{method}) + ", which was not offered");
    EXPECT_EQ(proxy.admissions, 0);
  }
}

TEST_F(EncryptedSocks5Connector, ARefusedPasswordLetsNobodyIn) {
  EncryptingProxy proxy(*server_);
  proxy.method = 0x82;
  proxy.login_answer = "0101";
  ConnectorOptions options = kBob;
  options.tls = client();
  auto connected = connect(proxy, options);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().cause, Cause::auth);
  EXPECT_EQ(proxy.admissions, 0);
}

TEST_F(EncryptedSocks5Connector, TheNameOfTheProxyIsAskedForAndVerified) {
  tls::TlsClientOptions verifying{.ca_file = ends_.authority.file(), .secure = true};
  EncryptingProxy proxy(*server_);
  EXPECT_TRUE(connect(proxy, {.tls = client(verifying)}));
  EXPECT_EQ(proxy.info->server_name, "proxy.example");
  EncryptingProxy other(*server_);
  other.address.host = "other.example";
  auto refused = connect(other, {.tls = client(verifying)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause, Cause::auth);
  EXPECT_EQ(
      refused.error().text,
      "socks5: tls: the server's certificate is for proxy.example, not for other.example; set serverName to one "
      "of these");
  EXPECT_EQ(other.admissions, 0);
}

TEST_F(EncryptedSocks5Connector, AProxyThatIsToBeVerifiedCannotDoWithoutTls) {
  const tls::TlsClientOptions verifying[] = {
      {.ca_file = ends_.authority.file()},
      {.ca_file = ends_.authority.file(), .secure = true},
      {.fingerprint = ends_.files.fingerprint},
  };
  for (const tls::TlsClientOptions& options : verifying) {
    for (auto [method, name] : {std::pair{std::uint8_t{0}, "00"}, {std::uint8_t{2}, "02"}}) {
      EncryptingProxy proxy(*server_);
      proxy.method = method;
      ConnectorOptions bob = kBob;
      bob.tls = client(options);
      auto connected = connect(proxy, bob);
      ASSERT_FALSE(connected);
      EXPECT_EQ(connected.error().cause, Cause::auth);
      EXPECT_TRUE(
          connected.error().text.starts_with(std::string("socks5: the proxy does without TLS (method ") + name))
          << connected.error().text;
      EXPECT_EQ(proxy.greeting, "050400028082") << "as GOST's";
      EXPECT_FALSE(proxy.inside.contains("626f62")) << "the user's name was sent";
      EXPECT_EQ(proxy.admissions, 0);
    }
    EncryptingProxy proxy(*server_);
    EXPECT_TRUE(connect(proxy, {.tls = client(options)}));
  }
}

TEST_F(EncryptedSocks5Connector, TlsOfTheTransportWillDoIfItIsVerified) {
  tls::TlsClientOptions verifying{.ca_file = ends_.authority.file(), .secure = true};
  for (bool verified : {true, false}) {
    EncryptingProxy proxy(*server_);
    proxy.method = 0;
    ConnectorOptions options{.tls = client(verifying), .transport_tls = verified ? client(verifying) : client()};
    EXPECT_EQ(connect(proxy, options).has_value(), verified);
  }
}

TEST_F(EncryptedSocks5Connector, WarnsOfTlsInTlsOfTheSameNode) {
  auto lines = std::make_shared<LogCapture>();
  EncryptingProxy proxy(*server_);
  EXPECT_TRUE(connect(proxy, {.tls = client(), .transport_tls = client(), .log = Logger(lines, Level::info)}));
  auto said = lines->take();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].contains("encrypts again")) << said[0];
}

TEST_F(EncryptedSocks5Connector, WarnsOnceThatNothingIsVerified) {
  auto lines = std::make_shared<LogCapture>();
  auto connector = make_connector({.tls = client(), .log = Logger(lines, Level::info)}).value();
  for (std::size_t expected : {1U, 0U}) {
    EncryptingProxy proxy(*server_);
    EXPECT_TRUE(proxy.serve(io_, *connector));
    EXPECT_EQ(lines->take().size(), expected);
  }
  EncryptingProxy verified(*server_);
  EXPECT_TRUE(connect(verified, {.tls = client({.ca_file = ends_.authority.file(), .secure = true}),
                                 .log = Logger(lines, Level::info)}));
  EXPECT_TRUE(lines->take().empty());
}

TEST_F(EncryptedSocks5Connector, APeerThatDoesNotBeginTlsCostsTheOneTimeLimit) {
  ScriptedProxy proxy{{{"05020080", "0580"}, {"160301", ""}}};
  auto connector = make_connector({.tls = client(), .timeout = 2s}).value();
  TimePoint start = io_.loop.now();
  auto connected = io_.loop.run(proxy.serve(connector->connect(io_, proxy, kTarget)));
  EXPECT_EQ(io_.loop.now() - start, 2s);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().cause, Cause::timeout);
  EXPECT_TRUE(proxy.received[0].starts_with("05020080160301")) << "the ClientHello comes unasked";
}

TEST_F(EncryptedSocks5Connector, EndsWhereverTheConnectionBreaks) {
  ConnectorOptions options = kBob;
  options.tls = client();
  std::size_t step = 0;
  for (; step < 1000; ++step) {
    EncryptingProxy proxy(*server_);
    proxy.method = 0x82;
    proxy.pipe = {.fail_at = step};
    auto connected = connect(proxy, options);
    if (connected) break;
    EXPECT_EQ(connected.error().cause, Cause::reset) << step << ": " << connected.error().text;
  }
  EXPECT_GE(step, 8U);
  EXPECT_LT(step, 1000U);
}

}  // namespace
}  // namespace gost::socks5
