#include "service/node_registry.hpp"

#include "route/forward_connector.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;

config::Connector connector_of(std::string type) {
  config::Connector connector;
  connector.type = std::move(type);
  return connector;
}

config::Dialer dialer_of(std::string type) {
  config::Dialer dialer;
  dialer.type = std::move(type);
  return dialer;
}

Result<NodeParts> parts_of(const config::Connector& connector, const config::Dialer& dialer) {
  return make_node_parts(connector, dialer, {});
}

TEST(NodeRegistry, EveryAvailableConnectorCanBeMade) {
  config::Availability available;
  add_node_components(available);
  for (const std::string& type : available.connectors) EXPECT_TRUE(parts_of(connector_of(type), {})) << type;
  for (auto alias : {"socks", "socks4a", "virtual"}) EXPECT_TRUE(parts_of(connector_of(alias), {})) << alias;
  EXPECT_TRUE(available.dialers.contains("tcp"));
  EXPECT_EQ(parts_of({}, {}).error().text, "connector 'http' is not available in this build");
  EXPECT_EQ(parts_of(connector_of("socks5"), dialer_of("quic")).error().text,
            "dialer 'quic' is not available in this build");
}

TEST(NodeRegistry, AProxyHasBothHalves) {
  auto parts = parts_of(connector_of("socks5"), dialer_of("tcp"));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->kind, NodeKind::proxy);
  EXPECT_NE(parts->connector, nullptr);
  EXPECT_NE(parts->dialer, nullptr);
}

TEST(NodeRegistry, ADirectNodeHasNone) {
  for (auto dialer : {"direct", "virtual", "tcp"}) {
    auto parts = parts_of(connector_of("direct"), dialer_of(dialer));
    ASSERT_TRUE(parts) << dialer;
    EXPECT_EQ(parts->kind, NodeKind::direct);
    EXPECT_EQ(parts->connector, nullptr);
    EXPECT_EQ(parts->dialer, nullptr);
  }
  config::Connector rejecting = connector_of("virtual");
  rejecting.metadata.set("action", config::Value(std::string("reject")));
  EXPECT_EQ(parts_of(rejecting, {})->kind, NodeKind::reject);
}

TEST(NodeRegistry, DatagramsGoToAForwardingNodeOnly) {
  auto parts = parts_of(connector_of("forward"), dialer_of("udp"));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->kind, NodeKind::datagrams);
  EXPECT_EQ(parts_of(connector_of("socks5"), dialer_of("udp")).error().text,
            "dialer 'udp' carries datagrams only; it goes together with connector 'forward'");
  EXPECT_EQ(parts_of(connector_of("socks5"), dialer_of("direct")).error().text,
            "dialer 'direct' connects to no proxy; it goes together with connector 'direct'");
}

TEST(NodeRegistry, TheTcpDialersKeepaliveIsRead) {
  config::Dialer dialer = dialer_of("tcp");
  dialer.metadata.set("keepalive", config::Value(true));
  dialer.metadata.set("keepalive.idle", config::Value(std::string("7s")));
  dialer.metadata.set("keepalive.count", config::Value(std::int64_t{3}));
  auto parts = parts_of(connector_of("forward"), dialer);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->keepalive.idle, 7s);
  EXPECT_EQ(parts->keepalive.interval, 15s);
  EXPECT_EQ(parts->keepalive.count, 3);
  dialer.metadata.set("keepalive.idle", config::Value(std::string("soon")));
  EXPECT_FALSE(parts_of(connector_of("forward"), dialer));
}

TEST(NodeRegistry, CredentialsThatFitNoProtocolAreRefused) {
  config::Connector connector = connector_of("socks5");
  connector.auth.emplace().username = std::string(300, 'u');
  EXPECT_FALSE(parts_of(connector, {}));
  connector.type = "socks4";
  EXPECT_FALSE(parts_of(connector, {}));
}

}  // namespace
}  // namespace gost
