#include "route/router.hpp"

#include "net/tcp.hpp"
#include "observe/log_capture.hpp"
#include "policy/testing/fake_name_server.hpp"
#include "route/forward_connector.hpp"
#include "route/testing/fake_proxies.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class ChainRouterTest : public ::testing::Test {
 protected:
  ChainRouterTest() { options.sockets = sockets; }

  void use(std::vector<HopOptions> hops) {
    options.chains = std::make_shared<const ChainGroup>(std::vector{chain_of(std::move(hops))});
  }
  Result<std::unique_ptr<Stream>> dial(Endpoint target, Requester from = {}) {
    ChainRouter router(options);
    return io.loop.run(router.dial(io, std::move(target), std::move(from)));
  }
  Result<std::unique_ptr<Datagram>> open_datagram() {
    ChainRouter router(options);
    return io.loop.run(router.open_datagram(io, Requester()));
  }
  Result<DatagramWay> open_datagram_to(Endpoint target) {
    ChainRouter router(options);
    return io.loop.run(router.open_datagram_to(io, std::move(target), Requester()));
  }
  std::string error_of(Endpoint target) {
    auto stream = dial(std::move(target));
    return stream ? "no error" : stream.error().text;
  }
  int failures(std::size_t hop, std::size_t node) const {
    const Chain* chain = options.chains->choose({}, {}, TimePoint());
    return chain->hops[hop]->nodes()[node].candidate.failures();
  }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<FakeOutbound> sockets = std::make_shared<FakeOutbound>();
  RouterOptions options;
};

using Strings = std::vector<std::string>;

TEST_F(ChainRouterTest, WithoutAChainItDialsTheTarget) {
  options.outbound.socket.interface = "eth0";
  options.outbound.socket.mark = 7;
  EXPECT_TRUE(dial({"example.org", 80}));
  EXPECT_EQ(sockets->connected, Strings{"example.org:80"});
  EXPECT_EQ(sockets->options[0].interface, "eth0");
  EXPECT_EQ(sockets->options[0].mark, 7U);
}

TEST_F(ChainRouterTest, InterfaceAutoIsTheAddressTheClientConnectedTo) {
  options.outbound.interface_auto = true;
  EXPECT_TRUE(dial({"a", 80}, {{}, SocketAddress(IpAddress::v4({10, 0, 0, 5}), 1080), {}}));
  EXPECT_EQ(sockets->options[0].interface, "10.0.0.5");
}

TEST_F(ChainRouterTest, RetriesADirectDial) {
  sockets->failures["a:80"] = {Cause::refused, "dial tcp a:80: connection refused"};
  options.retries = 2;
  auto stream = dial({"a", 80});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::refused);
  EXPECT_EQ(sockets->connected.size(), 3U);
}

TEST_F(ChainRouterTest, ABypassOfTheServiceRefuses) {
  options.bypass = BypassList::make({"*.local", "10.0.0.0/8"}, {}).value();
  auto stream = dial({"printer.LOCAL", 80});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::denied);
  EXPECT_EQ(stream.error().text, "bypass: printer.LOCAL:80");
  EXPECT_EQ(open_datagram_to({"10.1.1.1", 53}).error().cause, Cause::denied);
  EXPECT_EQ(open_datagram_to({"printer.local", 53}).error().text, "bypass: printer.local:53");
  ChainRouter router(options);
  EXPECT_TRUE(router.forbids(Network::udp, "10.2.3.4", 53));
  EXPECT_FALSE(router.forbids(Network::udp, "11.2.3.4", 53));
  EXPECT_TRUE(sockets->connected.empty());
}

TEST_F(ChainRouterTest, HostsComeFirstAndGiveAllAddresses) {
  options.names.hosts = std::make_shared<HostTable>(
      std::vector<HostEntry>{{"a", IpAddress::v4({1, 1, 1, 1})}, {"a", IpAddress::v4({2, 2, 2, 2})}});
  EXPECT_TRUE(dial({"A", 80}));
  EXPECT_TRUE(dial({"b", 80}));
  EXPECT_EQ(sockets->connected, (Strings{"1.1.1.1:80", "b:80"}));
  EXPECT_EQ(sockets->destinations[0].addresses.size(), 2U);
  EXPECT_TRUE(sockets->destinations[1].addresses.empty());
}

TEST_F(ChainRouterTest, WithAResolverTheSystemIsNeverAsked) {
  FakeNameServer server;
  server.zone["known"] = {IpAddress::v4({3, 3, 3, 3})};
  options.names.resolver =
      std::make_shared<NameServers>(NameServersOptions{.name = "r", .servers = {server.options()}});
  EXPECT_TRUE(dial({"known", 80}));
  EXPECT_EQ(sockets->connected, Strings{"3.3.3.3:80"});
  auto stream = dial({"unknown", 80});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::host_unreachable);
  EXPECT_EQ(stream.error().text, "resolver: domain unknown does not exist");
  EXPECT_EQ(sockets->connected.size(), 1U);
  EXPECT_TRUE(dial({"10.0.0.1", 80}));
}

TEST_F(ChainRouterTest, OneHopIsAskedForTheTarget) {
  auto proxy = proxy_that(Behaviour::works);
  use({fake_hop(0, {proxy})});
  EXPECT_TRUE(dial({"example.org", 80}));
  EXPECT_EQ(proxy->asked, Strings{"example.org:80"});
  EXPECT_EQ(sockets->connected, Strings{"10.0.0.0:1080"});
}

TEST_F(ChainRouterTest, EachHopIsAskedForTheNextOne) {
  auto first = proxy_that(Behaviour::works);
  auto second = proxy_that(Behaviour::works);
  auto third = proxy_that(Behaviour::works);
  use({fake_hop(0, {first}), fake_hop(1, {second}), fake_hop(2, {third})});
  EXPECT_TRUE(dial({"example.org", 80}));
  EXPECT_EQ(first->asked, Strings{"10.0.1.0:1080"});
  EXPECT_EQ(second->asked, Strings{"10.0.2.0:1080"});
  EXPECT_EQ(third->asked, Strings{"example.org:80"});
  EXPECT_EQ(sockets->connected, Strings{"10.0.0.0:1080"});
}

TEST_F(ChainRouterTest, ErrorsNameTheHopThatFailed) {
  auto works = proxy_that(Behaviour::works);
  use({fake_hop(0, {works}), fake_hop(1, {proxy_that(Behaviour::cannot_reach_target)})});
  EXPECT_EQ(error_of({"a", 80}), "hop-1/node-0 (10.0.1.0:1080): fake: connection refused (reply 05)");
  use({fake_hop(0, {works}), fake_hop(1, {proxy_that(Behaviour::refuses_credentials)})});
  EXPECT_EQ(error_of({"a", 80}), "hop-1/node-0 (10.0.1.0:1080): fake: wrong password");
  use({fake_hop(0, {proxy_that(Behaviour::cannot_reach_target)}), fake_hop(1, {works})});
  EXPECT_EQ(
      error_of({"a", 80}),
      "hop-1/node-0 (10.0.1.0:1080): not reached through hop-0/node-0 (10.0.0.0:1080): fake: connection refused "
      "(reply 05)");
  use({fake_hop(0, {proxy_that(Behaviour::does_not_listen)}), fake_hop(1, {works})});
  EXPECT_EQ(error_of({"a", 80}), "hop-0/node-0 (10.0.0.0:1080): dial: connection refused");
}

TEST_F(ChainRouterTest, CausesAreKept) {
  use({fake_hop(0, {proxy_that(Behaviour::cannot_reach_target)})});
  EXPECT_EQ(dial({"a", 80}).error().cause, Cause::refused);
  use({fake_hop(0, {proxy_that(Behaviour::refuses_credentials)})});
  EXPECT_EQ(dial({"a", 80}).error().cause, Cause::auth);
  use({fake_hop(0, {proxy_that(Behaviour::hangs_on_target)})});
  EXPECT_EQ(dial({"a", 80}).error().cause, Cause::timeout);
}

TEST_F(ChainRouterTest, ANodeThatFailsIsReplacedWithinTheRequest) {
  for (auto behaviour : {Behaviour::does_not_listen, Behaviour::refuses_credentials, Behaviour::hangs_in_dial,
                         Behaviour::hangs_in_handshake}) {
    auto good = proxy_that(Behaviour::works);
    use({fake_hop(0, {proxy_that(behaviour), good})});
    EXPECT_TRUE(dial({"a", 80}));
    EXPECT_EQ(good->asked.size(), 1U);
    EXPECT_EQ(failures(0, 0), 1);
    EXPECT_EQ(failures(0, 1), 0);
  }
}

TEST_F(ChainRouterTest, TheLogSaysWhichNodeFailedAndWhichIsTriedInstead) {
  auto lines = std::make_shared<LogCapture>();
  options.log = Logger(lines, Level::warn);
  use({fake_hop(0, {proxy_that(Behaviour::refuses_credentials), proxy_that(Behaviour::works)})});
  EXPECT_TRUE(dial({"a", 80}));
  auto logged = lines->take();
  ASSERT_EQ(logged.size(), 1U);
  EXPECT_NE(logged[0].find("hop-0/node-0 (10.0.0.0:1080): fake: wrong password; now trying hop-0/node-1 "
                           "(10.0.0.1:1080)"),
            std::string::npos)
      << logged[0];
}

TEST_F(ChainRouterTest, ATargetThatIsNotReachedMarksNothingAndIsNotRepeated) {
  for (auto behaviour : {Behaviour::cannot_reach_target, Behaviour::hangs_on_target}) {
    auto other = proxy_that(Behaviour::works);
    use({fake_hop(0, {proxy_that(behaviour), other})});
    EXPECT_FALSE(dial({"a", 80}));
    EXPECT_TRUE(other->asked.empty());
    EXPECT_EQ(failures(0, 0), 0);
  }
}

TEST_F(ChainRouterTest, ANextHopThatIsNotReachedIsMarkedAndReplaced) {
  auto first = proxy_that(Behaviour::works);
  auto second = proxy_that(Behaviour::works);
  use({fake_hop(0, {first}), fake_hop(1, {proxy_that(Behaviour::does_not_listen), second})});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(failures(0, 0), 0);
  EXPECT_EQ(failures(1, 0), 1);
}

TEST_F(ChainRouterTest, SuccessForgetsFailures) {
  auto flaky = proxy_that(Behaviour::does_not_listen);
  use({fake_hop(0, {flaky})});
  EXPECT_FALSE(dial({"a", 80}));
  EXPECT_EQ(failures(0, 0), 1);
  flaky->behaviour = Behaviour::works;
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(failures(0, 0), 0);
}

TEST_F(ChainRouterTest, ConnectorsThatDoNotSayWhenTheyAreInAreJudgedByTheirErrors) {
  auto bad = proxy_that(Behaviour::refuses_credentials);
  auto other = proxy_that(Behaviour::cannot_reach_target);
  bad->says_admitted = other->says_admitted = false;
  use({fake_hop(0, {bad, other})});
  EXPECT_FALSE(dial({"a", 80}));
  EXPECT_EQ(failures(0, 0), 1);
  EXPECT_EQ(failures(0, 1), 0);
}

TEST_F(ChainRouterTest, TheEndOfAProxysStreamIsNoEndOfTheClients) {
  use({fake_hop(0, {proxy_that(Behaviour::dies_on_target)})});
  Error error = dial({"a", 80}).error();
  EXPECT_EQ(error.cause, Cause::other) << "an end of the client's own is not told";
  EXPECT_EQ(error.text, "hop-0/node-0 (10.0.0.0:1080): fake: reply: EOF");
}

TEST_F(ChainRouterTest, WithoutANodeForATargetThereIsNoWay) {
  HopOptions hop = fake_hop(0, {proxy_that(Behaviour::works)});
  hop.nodes[0].only_for = "corp.example";
  use({std::move(hop)});
  EXPECT_TRUE(dial({"corp.example", 80}));
  Error error = dial({"other.example", 80}).error();
  EXPECT_EQ(error.cause, Cause::denied);
  EXPECT_EQ(error.text, "hop-0: none of its nodes is for other.example:80");
  EXPECT_EQ(sockets->connected, Strings{"10.0.0.0:1080"}) << "least of all directly";
  EXPECT_EQ(open_datagram().error().text, "hop-0: none of its nodes is for datagrams to anywhere");
}

TEST_F(ChainRouterTest, APatientConnectorHasItsTime) {
  options.timeout = 3s;
  for (auto [limit, lasts] : {std::pair{20s, Duration(20s)}, {2s, Duration(3s)}, {-1s, Duration(1h)}}) {
    auto proxy = proxy_that(Behaviour::hangs_on_target);
    proxy->limit = limit;
    use({fake_hop(0, {proxy})});
    TimePoint start = io.loop.now();
    EXPECT_FALSE(dial({"a", 80}));
    EXPECT_EQ(io.loop.now() - start, lasts);
  }
}

TEST_F(ChainRouterTest, EachAttemptHasItsOwnTime) {
  options.timeout = 3s;
  use({fake_hop(0, {proxy_that(Behaviour::hangs_in_dial), proxy_that(Behaviour::hangs_in_dial)})});
  TimePoint start = io.loop.now();
  auto stream = dial({"a", 80});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::timeout);
  EXPECT_EQ(io.loop.now() - start, 6s);
}

Task<Result<std::unique_ptr<Stream>>> dial_within(Duration limit, const Router& router, IoContext& io) {
  Endpoint target{"a", 80};
  co_return co_await with_deadline(limit, router.dial(io, std::move(target), Requester()));
}

TEST_F(ChainRouterTest, WhoeverIsStoppedBlamesNobody) {
  auto other = proxy_that(Behaviour::works);
  use({fake_hop(0, {proxy_that(Behaviour::hangs_in_dial), other})});
  ChainRouter router(options);
  EXPECT_FALSE(io.loop.run(dial_within(1s, router, io)));
  EXPECT_EQ(failures(0, 0), 0);
  EXPECT_EQ(other->dials, 0);
}

TEST_F(ChainRouterTest, AChainOfWhichNothingWorksIsNeverDirect) {
  options.retries = 1;
  use({fake_hop(0, {proxy_that(Behaviour::does_not_listen), proxy_that(Behaviour::does_not_listen)})});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(dial({"a", 80}));
  EXPECT_EQ(sockets->connected.size(), 9U);
  for (const std::string& endpoint : sockets->connected) EXPECT_TRUE(endpoint.starts_with("10.0.0.")) << endpoint;
}

TEST_F(ChainRouterTest, ABypassedFirstHopIsDirectABypassedLaterOneEndsTheChain) {
  auto proxy = proxy_that(Behaviour::works);
  HopOptions first = fake_hop(0, {proxy});
  first.bypass = BypassList::make({"local"}, {}).value();
  HopOptions second = fake_hop(1, {proxy_that(Behaviour::does_not_listen)});
  second.bypass = BypassList::make({"inner"}, {}).value();
  use({first, second});
  EXPECT_TRUE(dial({"local", 80}));
  EXPECT_EQ(sockets->connected, Strings{"local:80"});
  EXPECT_TRUE(dial({"inner", 80}));
  EXPECT_EQ(proxy->asked, Strings{"inner:80"});
}

TEST_F(ChainRouterTest, HopsSeeTheResolvedTarget) {
  options.names.hosts = std::make_shared<HostTable>(std::vector<HostEntry>{{"a", IpAddress::v4({10, 9, 9, 9})}});
  auto proxy = proxy_that(Behaviour::works);
  HopOptions hop = fake_hop(0, {proxy});
  hop.bypass = BypassList::make({"10.0.0.0/8"}, {}).value();
  use({hop});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(sockets->connected, Strings{"10.9.9.9:80"});
}

TEST_F(ChainRouterTest, ANodesNameIsLookedUpByItsOwnRules) {
  auto first = proxy_that(Behaviour::works);
  HopOptions hop = fake_hop(0, {first});
  hop.nodes[0].address.host = "proxy.example";
  hop.nodes[0].names.hosts =
      std::make_shared<HostTable>(std::vector<HostEntry>{{"proxy.example", IpAddress::v4({7, 7, 7, 7})}});
  use({hop});
  EXPECT_TRUE(dial({"target", 80}));
  EXPECT_EQ(sockets->connected, Strings{"7.7.7.7:1080"});
  EXPECT_EQ(first->asked, Strings{"target:80"});
}

TEST_F(ChainRouterTest, ANodesSocketOptionsAreUsed) {
  HopOptions hop = fake_hop(0, {proxy_that(Behaviour::works)});
  hop.nodes[0].outbound.socket.mark = 9;
  options.outbound.socket.mark = 1;
  use({hop});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(sockets->options[0].mark, 9U);
}

TEST_F(ChainRouterTest, ADirectNodeDialsWithItsSettingsAndARejectingOneRefuses) {
  NodeOptions direct;
  direct.name = "node-0";
  direct.kind = NodeKind::direct;
  direct.outbound.socket.mark = 5;
  use({HopOptions{.name = "hop-0", .nodes = {direct}}});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(sockets->connected, Strings{"a:80"});
  EXPECT_EQ(sockets->options[0].mark, 5U);
  EXPECT_TRUE(open_datagram());
  direct.kind = NodeKind::reject;
  use({HopOptions{.name = "hop-0", .nodes = {direct}}});
  auto stream = dial({"a", 80});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::denied);
  EXPECT_EQ(stream.error().text, "hop-0/node-0: a:80 is refused by action=reject");
  EXPECT_EQ(open_datagram().error().cause, Cause::denied);
}

TEST_F(ChainRouterTest, ADirectNodeBehindAProxyDoesNotGoAroundIt) {
  auto proxy = proxy_that(Behaviour::works);
  NodeOptions direct;
  direct.name = "node-0";
  direct.kind = NodeKind::direct;
  use({fake_hop(0, {proxy}), HopOptions{.name = "hop-1", .nodes = {direct}}});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(proxy->asked, Strings{"a:80"});
}

TEST_F(ChainRouterTest, AForwardingNodeIsTheTarget) {
  HopOptions hop = fake_hop(0, {proxy_that(Behaviour::works)});
  hop.nodes[0].connector = std::make_shared<const ForwardConnector>();
  use({hop});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(sockets->connected, Strings{"10.0.0.0:1080"});
  EXPECT_EQ(open_datagram().error().text,
            "hop-0/node-0 (10.0.0.0:1080): the proxy 10.0.0.0:1080 does not carry datagrams");
  EXPECT_EQ(failures(0, 0), 0);
}

TEST_F(ChainRouterTest, DatagramsGoDirectlyToOneOrAnyPeer) {
  EXPECT_TRUE(open_datagram());
  sockets->system_names["dns.example"] = "8.8.4.4";
  for (auto [host, address] : {std::pair("1.2.3.4", "1.2.3.4:53"), std::pair("dns.example", "8.8.4.4:53")}) {
    auto way = open_datagram_to({host, 53});
    ASSERT_TRUE(way) << way.error().text;
    EXPECT_EQ(way->peer.to_string(), address);
  }
  EXPECT_EQ(sockets->datagrams, (Strings{"any", "1.2.3.4:53", "8.8.4.4:53"}));
}

TEST_F(ChainRouterTest, RulesSeeTheNameToWhichDatagramsGo) {
  sockets->system_names["dns.example"] = "8.8.4.4";
  options.bypass = BypassList::make({"*.example"}, {.whitelist = true}).value();
  EXPECT_TRUE(open_datagram_to({"dns.example", 53})) << "the list of what is allowed has the name";
  auto proxy = proxy_that(Behaviour::works);
  for (bool whitelist : {true, false}) {
    HopOptions hop = fake_hop(0, {proxy});
    hop.bypass = BypassList::make({"dns.example"}, {.whitelist = whitelist}).value();
    use({std::move(hop)});
    sockets->datagrams.clear();
    ASSERT_TRUE(open_datagram_to({"dns.example", 53}));
    EXPECT_EQ(sockets->datagrams, Strings{whitelist ? "9.9.9.9:999" : "8.8.4.4:53"});
  }
}

TEST_F(ChainRouterTest, TheFirstProxysRelayIsASocketOfOurOwn) {
  auto proxy = proxy_that(Behaviour::works);
  use({fake_hop(0, {proxy})});
  EXPECT_TRUE(open_datagram());
  EXPECT_EQ(proxy->datagram_paths, 1);
  EXPECT_EQ(sockets->datagrams, Strings{"9.9.9.9:999"});
}

TEST_F(ChainRouterTest, ALaterProxysRelayIsReachedThroughTheEarlierOnes) {
  auto first = proxy_that(Behaviour::works);
  auto second = proxy_that(Behaviour::works);
  use({fake_hop(0, {first}), fake_hop(1, {second})});
  auto datagram = open_datagram();
  ASSERT_TRUE(datagram) << datagram.error().text;
  EXPECT_EQ(second->datagram_paths, 1);
  EXPECT_EQ(first->datagram_paths, 1);
  EXPECT_EQ(sockets->datagrams, Strings{"9.9.9.9:999"});
  OutgoingDatagram one;
  one.payload = as_bytes("x");
  (*datagram)->try_send(std::span(&one, 1));
  EXPECT_EQ(sockets->scripts[0]->sent,
            (std::vector<Packet>{{SocketAddress(IpAddress::v4({9, 9, 9, 9}), 999), "", "x"}}));
}

TEST_F(ChainRouterTest, DatagramsFailOverLikeStreams) {
  auto good = proxy_that(Behaviour::works);
  use({fake_hop(0, {proxy_that(Behaviour::refuses_credentials), good})});
  EXPECT_TRUE(open_datagram());
  EXPECT_EQ(failures(0, 0), 1);
}

TEST_F(ChainRouterTest, ANodeThatHangsUpOnARequestIsReplacedButNotMarked) {
  auto dying = proxy_that(Behaviour::dies_on_target);
  auto working = proxy_that(Behaviour::works);
  use({fake_hop(0, {dying, working})});
  EXPECT_TRUE(dial({"a", 80}));
  EXPECT_EQ(dying->asked, Strings{"a:80"});
  EXPECT_EQ(working->asked, Strings{"a:80"});
  EXPECT_EQ(failures(0, 0), 0) << "it may serve other targets";
}

TEST_F(ChainRouterTest, ANodeWithoutDatagramsIsReplacedForThem) {
  auto refusing = proxy_that(Behaviour::has_no_udp);
  auto working = proxy_that(Behaviour::works);
  use({fake_hop(0, {refusing, working})});
  EXPECT_TRUE(open_datagram());
  EXPECT_EQ(working->datagram_paths, 1);
  EXPECT_EQ(failures(0, 0), 0) << "it serves streams";
}

TEST_F(ChainRouterTest, AConnectorWithoutDatagramsIsReplacedForThem) {
  auto working = proxy_that(Behaviour::works);
  HopOptions hop = fake_hop(0, {proxy_that(Behaviour::works), working});
  hop.nodes[0].connector = std::make_shared<const ForwardConnector>();
  use({std::move(hop)});
  EXPECT_TRUE(open_datagram());
  EXPECT_EQ(working->datagram_paths, 1);
}

TEST_F(ChainRouterTest, ANodeThatIsReachedByDatagramsIsTheirTarget) {
  NodeOptions node;
  node.name = "node-0";
  node.kind = NodeKind::datagrams;
  node.address = {"dns.example", 53};
  sockets->system_names["dns.example"] = "8.8.4.4";
  use({HopOptions{.name = "hop-0", .nodes = {node}}});
  auto datagram = open_datagram();
  ASSERT_TRUE(datagram) << datagram.error().text;
  EXPECT_EQ(sockets->datagrams, Strings{"8.8.4.4:53"});
  EXPECT_EQ(error_of({"a", 80}), "hop-0/node-0 (dns.example:53): dialer 'udp' carries datagrams only");
}

TEST_F(ChainRouterTest, ResolvesByItsRulesThenAsTheSystemDoes) {
  options.names.hosts = std::make_shared<HostTable>(std::vector<HostEntry>{{"a", IpAddress::v4({1, 1, 1, 1})}});
  sockets->system_names["b"] = "2.2.2.2";
  ChainRouter router(options);
  auto resolved = [&](std::string host) {
    auto ip = io.loop.run(router.resolve(io, std::move(host)));
    return ip ? ip->to_string() : ip.error().text;
  };
  EXPECT_EQ(resolved("a"), "1.1.1.1");
  EXPECT_EQ(resolved("b"), "2.2.2.2");
  EXPECT_EQ(resolved("c"), "lookup c: no such host");
  EXPECT_EQ(resolved("9.8.7.6"), "9.8.7.6");
  EXPECT_EQ(resolved(""), "127.0.0.1");
}

TEST_F(ChainRouterTest, HashGoesByTheClientOrByTheTarget) {
  std::vector<std::shared_ptr<FakeProxy>> proxies;
  for (int i = 0; i < 8; ++i) proxies.push_back(proxy_that(Behaviour::works));
  HopOptions hop = fake_hop(0, proxies);
  hop.selector.strategy = Strategy::hash;
  use({hop});
  auto used = [&] {
    std::size_t count = 0;
    for (const auto& proxy : proxies) count += proxy->asked.empty() ? 0U : 1U;
    return count;
  };
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(dial({"host-" + std::to_string(i), 80}, {{}, {}, "alice"}));
  EXPECT_EQ(used(), 1U);
  options.hash_by_target = true;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(dial({"host-" + std::to_string(i), 80}, {{}, {}, "alice"}));
  EXPECT_GT(used(), 3U);
}

Task<Result<std::unique_ptr<Stream>>> dial_and_close(const Router& router, IoContext& io, Endpoint target) {
  auto stream = co_await router.dial(io, std::move(target), Requester());
  co_await io.resolver.close();
  co_return stream;
}

TEST(ChainRouterWithSockets, ConnectsToNamesLiteralsAndTheEmptyHost) {
  IoContext io;
  RouterOptions options;
  options.names.hosts = std::make_shared<HostTable>(std::vector<HostEntry>{
      {"two.addresses", IpAddress::v4({127, 0, 0, 1})}, {"two.addresses", IpAddress::v4({127, 0, 0, 2})}});
  ChainRouter router(options);
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  for (auto host : {"127.0.0.1", "localhost", "", "0.0.0.0", "::ffff:127.0.0.1", "two.addresses"}) {
    auto stream = io.loop.run(dial_and_close(router, io, {host, listener.local().port()}));
    EXPECT_TRUE(stream) << host << ": " << stream.error().text;
  }
}

TEST(ChainRouterWithSockets, ARefusalKeepsItsCause) {
  IoContext io;
  RouterOptions options;
  options.timeout = 5s;
  options.retries = 2;
  ChainRouter router(options);
  auto port = TcpListenSocket::bind("127.0.0.1:0").value().local().port();
  auto stream = io.loop.run(dial_and_close(router, io, {"127.0.0.1", port}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::refused);
}

Task<std::string> ask_over_udp(const Router& router, IoContext& io, Endpoint peer) {
  auto way = co_await router.open_datagram_to(io, std::move(peer), Requester());
  if (!way) co_return way.error().text;
  OutgoingDatagram out;
  out.peer = way->peer;
  out.payload = as_bytes("ping");
  way->datagrams->try_send(std::span(&out, 1));
  co_return way->datagrams->local().ip().to_string();
}

TEST(ChainRouterWithSockets, DatagramsLeaveFromTheSocketOfThePeersFamily) {
  IoContext io;
  ChainRouter router(RouterOptions{});
  EXPECT_EQ(io.loop.run(ask_over_udp(router, io, {"127.0.0.1", 9})), "127.0.0.1");
}

}  // namespace
}  // namespace gost
