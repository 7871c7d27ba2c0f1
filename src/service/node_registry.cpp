#include "service/node_registry.hpp"

#include "kcp/dialer.hpp"
#include "mux/dialer.hpp"
#include "route/forward_connector.hpp"
#include "service/component_table.hpp"
#include "service/kcp_settings.hpp"
#include "service/mux_settings.hpp"
#include "service/option_reader.hpp"
#include "service/socket_settings.hpp"
#include "service/ws_settings.hpp"
#include "socks4/connector.hpp"
#include "socks5/connector.hpp"
#include "tcp/dialer.hpp"
#include "tls/dialer.hpp"
#include "ws/dialer.hpp"

#include <algorithm>
#include <array>

namespace gost {

namespace {

/// No datagram is longer, whatever buffer is asked for.
constexpr std::int64_t kMaxDatagram = 65535;

using MakeConnector = Result<NodeParts> (*)(const config::Connector&, const NodeResources&);
using MakeDialer = Result<> (*)(const config::Dialer&, const NodeResources&, NodeParts&);

/// The proxy that `made` speaks to.
Result<NodeParts> proxy_of(Result<std::shared_ptr<const Connector>> made) {
  if (!made) return fail(std::move(made.error()));
  NodeParts parts;
  parts.connector = std::move(*made);
  return parts;
}

Result<NodeParts> make_socks4(const config::Connector& connector, const NodeResources& resources) {
  OptionReader options(connector.metadata);
  socks4::ConnectorOptions typed;
  if (connector.auth) typed.user = connector.auth->username;
  typed.timeout = options.duration({"timeout"}, Duration::zero());
  typed.disable4a = options.boolean({"disable4a"}, false);
  typed.lookup = resources.lookup;
  if (auto error = options.error()) return fail(std::move(*error));
  return proxy_of(socks4::make_connector(std::move(typed)));
}

Result<NodeParts> make_socks5(const config::Connector& connector, const NodeResources& resources) {
  OptionReader options(connector.metadata);
  socks5::ConnectorOptions typed;
  if (connector.auth) {
    typed.user = connector.auth->username;
    typed.password = connector.auth->password;
  }
  typed.timeout = options.duration({"timeout"}, Duration::zero());
  if (!options.boolean({"notls"}, false)) typed.tls = resources.connector_tls;
  typed.transport_tls = resources.dialer_tls;
  std::int64_t size = options.integer({"udp.bufferSize", "udpBufferSize"}, 0);
  if (size > 0) typed.udp_buffer_size = static_cast<std::size_t>(std::min(size, kMaxDatagram));
  auto relay = config::get_string(connector.metadata, {"relay"});
  if (!relay) return fail(relay.error());
  typed.relay_udp = relay->value_or("") == "udp";
  auto mux = multiplexing(options);
  if (!mux) return fail(std::move(mux.error()));
  typed.mux = *mux;
  typed.lookup = resources.lookup;
  typed.log = resources.log;
  if (auto error = options.error()) return fail(std::move(*error));
  return proxy_of(socks5::make_connector(std::move(typed)));
}

Result<NodeParts> make_forward(const config::Connector&, const NodeResources&) {
  NodeParts parts;
  parts.connector = std::make_shared<const ForwardConnector>();
  return parts;
}

Result<NodeParts> make_direct(const config::Connector& connector, const NodeResources&) {
  auto action = config::get_string(connector.metadata, {"action"});
  if (!action) return fail(action.error());
  NodeParts parts;
  parts.kind = action->value_or("") == "reject" ? NodeKind::reject : NodeKind::direct;
  return parts;
}

Result<> add_tcp_dialer(const config::Dialer& dialer, const NodeResources&, NodeParts& parts) {
  auto keepalive = keepalive_of(dialer.metadata);
  if (!keepalive) return fail(keepalive.error());
  parts.keepalive = *keepalive;
  if (parts.kind == NodeKind::proxy) parts.dialer = std::make_shared<const TcpDialer>();
  return {};
}

Result<> add_tls_dialer(const config::Dialer& dialer, const NodeResources& resources, NodeParts& parts) {
  if (parts.kind != NodeKind::proxy)
    return fail(Cause::invalid,
                "dialer '" + dialer.type + "' encrypts the way to a proxy; connector 'direct' has none");
  auto keepalive = keepalive_of(dialer.metadata);
  if (!keepalive) return fail(keepalive.error());
  parts.keepalive = *keepalive;
  OptionReader options(dialer.metadata);
  Duration timeout = options.duration({"handshakeTimeout", "ws.handshakeTimeout"}, Duration::zero());
  if (auto error = options.error()) return fail(std::move(*error));
  if (!resources.dialer_tls) return fail(Cause::invalid, "its TLS settings cannot be used");
  resources.log.debug("TLS to the proxy verifies " + std::string(resources.dialer_tls->verifies()));
  if (auto caution = resources.dialer_tls->caution(); !caution.empty()) resources.log.warn(std::string(caution));
  parts.dialer = std::make_shared<const tls::TlsDialer>(resources.dialer_tls, resources.host, timeout);
  return {};
}

/// WebSocket over a connection of the dialer that `add_below` makes.
template <MakeDialer add_below>
Result<> add_ws_dialer(const config::Dialer& dialer, const NodeResources& resources, NodeParts& parts) {
  if (parts.kind != NodeKind::proxy)
    return fail(Cause::invalid, "dialer '" + dialer.type + "' leads to a proxy; connector 'direct' has none");
  auto options = ws_client_options(dialer.metadata, resources.address);
  if (!options) return fail(std::move(options.error()));
  if (auto added = add_below(dialer, resources, parts); !added) return added;
  auto keepalive = tcp_keepalive_below_ws(dialer.metadata);
  if (!keepalive) return fail(std::move(keepalive.error()));
  parts.keepalive = *keepalive;
  parts.dialer = std::make_shared<const ws::WsDialer>(std::move(parts.dialer), std::move(*options));
  return {};
}

/// Many streams on each connection of the dialer that `add_below` makes.
template <MakeDialer add_below, std::int64_t version>
Result<> add_mux_dialer(const config::Dialer& dialer, const NodeResources& resources, NodeParts& parts) {
  OptionReader options(dialer.metadata);
  auto mux = multiplexing(options, version);
  if (!mux) return fail(std::move(mux.error()));
  if (auto added = add_below(dialer, resources, parts); !added) return added;
  if (parts.dialer) parts.dialer = std::make_shared<const MuxDialer>(std::move(parts.dialer), *mux, resources.log);
  return {};
}

Result<> add_udp_dialer(const config::Dialer&, const NodeResources&, NodeParts& parts) {
  bool forwards = dynamic_cast<const ForwardConnector*>(parts.connector.get()) != nullptr;
  if (!forwards)
    return fail(Cause::invalid, "dialer 'udp' carries datagrams only; it goes together with connector 'forward'");
  parts.kind = NodeKind::datagrams;
  parts.connector = nullptr;
  return {};
}

Result<> add_direct_dialer(const config::Dialer&, const NodeResources&, NodeParts& parts) {
  if (parts.kind != NodeKind::proxy) return {};
  return fail(Cause::invalid, "dialer 'direct' connects to no proxy; it goes together with connector 'direct'");
}

Result<> add_kcp_dialer(const config::Dialer& dialer, const NodeResources& resources, NodeParts& parts) {
  if (parts.kind != NodeKind::proxy)
    return fail(Cause::invalid, "dialer 'kcp' leads to a proxy; connector 'direct' has none");
  auto settings = kcp_settings(dialer.metadata, KcpSide::dialer);
  if (!settings) return fail(std::move(settings.error()));
  for (const std::string& warning : settings->warnings) resources.log.warn(warning);
  auto below = kcp::KcpDialer::make(settings->options, resources.log);
  if (!below) return fail(std::move(below.error()));
  parts.dialer = std::make_shared<const MuxDialer>(std::move(*below), MuxOptions(settings->mux), resources.log);
  return {};
}

// The tables to extend: name, factory.
constexpr std::array kConnectors{
    std::pair<std::string_view, MakeConnector>{"direct", &make_direct},
    std::pair<std::string_view, MakeConnector>{"forward", &make_forward},
    std::pair<std::string_view, MakeConnector>{"socks4", &make_socks4},
    std::pair<std::string_view, MakeConnector>{"socks5", &make_socks5},
    std::pair<std::string_view, MakeConnector>{"tcp", &make_forward},
};
constexpr std::array kDialers{
    std::pair<std::string_view, MakeDialer>{"direct", &add_direct_dialer},
    std::pair<std::string_view, MakeDialer>{"kcp", &add_kcp_dialer},
    std::pair<std::string_view, MakeDialer>{"mtcp", &add_mux_dialer<&add_tcp_dialer, 2>},
    std::pair<std::string_view, MakeDialer>{"mtls", &add_mux_dialer<&add_tls_dialer, 1>},
    std::pair<std::string_view, MakeDialer>{"mws", &add_mux_dialer<&add_ws_dialer<&add_tcp_dialer>, 1>},
    std::pair<std::string_view, MakeDialer>{"mwss", &add_mux_dialer<&add_ws_dialer<&add_tls_dialer>, 1>},
    std::pair<std::string_view, MakeDialer>{"tcp", &add_tcp_dialer},
    std::pair<std::string_view, MakeDialer>{"tls", &add_tls_dialer},
    std::pair<std::string_view, MakeDialer>{"udp", &add_udp_dialer},
    std::pair<std::string_view, MakeDialer>{"ws", &add_ws_dialer<&add_tcp_dialer>},
    std::pair<std::string_view, MakeDialer>{"wss", &add_ws_dialer<&add_tls_dialer>},
};

}  // namespace

void add_node_components(config::Availability& available) {
  for (auto& [name, make] : kConnectors) available.connectors.emplace(name);
  for (auto& [name, add] : kDialers) available.dialers.emplace(name);
}

Result<NodeParts> make_node_parts(const config::Connector& connector, const config::Dialer& dialer,
                                  const NodeResources& resources) {
  auto make = factory_for(kConnectors, config::Kind::connector, connector.type);
  if (!make) return fail(make.error());
  auto add_dialer = factory_for(kDialers, config::Kind::dialer, dialer.type);
  if (!add_dialer) return fail(add_dialer.error());
  auto parts = (*make)(connector, resources);
  if (!parts) return parts;
  if (auto added = (*add_dialer)(dialer, resources, *parts); !added) return fail(added.error());
  return parts;
}

}  // namespace gost
