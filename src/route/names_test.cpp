#include "route/names.hpp"

#include "policy/testing/fake_name_server.hpp"
#include "route/name_server_transport.hpp"
#include "route/router.hpp"
#include "route/testing/fake_proxies.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace testing;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

class NamesTest : public ::testing::Test {
 protected:
  NamesTest() {
    hosts = std::make_shared<HostTable>(
        std::vector<HostEntry>{{"both", ip("1.1.1.1")}, {"both", ip("2001:db8::1")}, {"known", ip("2.2.2.2")}});
    server.zone["known"] = {ip("9.9.9.9")};
    server.zone["asked"] = {ip("3.3.3.3")};
    resolver = std::make_shared<NameServers>(NameServersOptions{.name = "r", .servers = {server.options()}});
  }

  std::string found(const NameRules& rules, std::string host) {
    auto addresses = io.loop.run(look_up(io, rules, std::move(host)));
    if (!addresses) return addresses.error().text;
    if (!*addresses) return "not said";
    std::string text;
    for (const IpAddress& it : **addresses) text += (text.empty() ? "" : " ") + it.to_string();
    return text;
  }
  std::string found(const NameLookup& lookup, std::string host, Family family) {
    auto addresses = io.loop.run(lookup(io, std::move(host), family));
    return addresses ? addresses->front().to_string() : addresses.error().text;
  }

  IoContext io{Loop::Time::simulated};
  FakeNameServer server;
  std::shared_ptr<const Hosts> hosts;
  std::shared_ptr<const NameServers> resolver;
};

TEST_F(NamesTest, HostsComeBeforeTheResolver) {
  EXPECT_EQ(found({hosts, resolver}, "known"), "2.2.2.2");
  EXPECT_EQ(found({hosts, resolver}, "asked"), "3.3.3.3");
  EXPECT_EQ(found({hosts, resolver}, "both"), "1.1.1.1 2001:db8::1");
  EXPECT_EQ(found({hosts, resolver}, "unknown"), "resolver: domain unknown does not exist");
}

TEST_F(NamesTest, WithoutAResolverOtherNamesAreLeftAlone) {
  EXPECT_EQ(found({hosts, nullptr}, "asked"), "not said");
  EXPECT_EQ(found({nullptr, nullptr}, "known"), "not said");
}

TEST_F(NamesTest, LiteralsAndTheEmptyHostAreNotLookedUp) {
  NameRules rules{std::make_shared<HostTable>(std::vector<HostEntry>{{".", ip("6.6.6.6")}}), resolver};
  EXPECT_EQ(found(rules, "anything"), "6.6.6.6");
  EXPECT_EQ(found(rules, "10.0.0.1"), "not said");
  EXPECT_EQ(found(rules, "::1"), "not said");
  EXPECT_EQ(found(rules, ""), "not said");
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(NamesTest, ConnectorsGetOneFamily) {
  NameLookup lookup = lookup_by({hosts, resolver});
  EXPECT_EQ(found(lookup, "both", Family::v4), "1.1.1.1");
  EXPECT_EQ(found(lookup, "both", Family::v6), "2001:db8::1");
  EXPECT_EQ(found(lookup, "known", Family::v6), "lookup known: no such host");
  EXPECT_EQ(found(lookup, "localhost", Family::v4), "127.0.0.1");
}

TEST_F(NamesTest, NameServersAreReachedThroughTheRouter) {
  auto sockets = std::make_shared<FakeOutbound>();
  sockets->system_names["dns.example"] = "8.8.8.8";
  auto proxy = proxy_that(Behaviour::works);
  RouterOptions options;
  options.sockets = sockets;
  options.chains = std::make_shared<const ChainGroup>(std::vector{chain_of({fake_hop(0, {proxy})})});
  NameServerTransport transport = transport_through(std::make_shared<const ChainRouter>(std::move(options)));
  Endpoint name_server{"dns.example", 53};
  EXPECT_TRUE(io.loop.run(transport.open_stream(io, name_server)));
  EXPECT_EQ(proxy->asked, std::vector<std::string>{"dns.example:53"});
  auto path = io.loop.run(transport.open_datagram(io, name_server));
  ASSERT_TRUE(path);
  OutgoingDatagram query;
  query.payload = as_bytes("?");
  (*path)->try_send(std::span(&query, 1));
  EXPECT_EQ(sockets->scripts[0]->sent, (std::vector<Packet>{{SocketAddress(ip("8.8.8.8"), 53), "", "?"}}));
  name_server.host = "no.such";
  EXPECT_FALSE(io.loop.run(transport.open_datagram(io, name_server)));
}

}  // namespace
}  // namespace gost
