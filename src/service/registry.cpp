#include "service/registry.hpp"

#include "auto/handler.hpp"
#include "component/stacked_upgrade.hpp"
#include "forward/handler.hpp"
#include "forward/remote/rtcp_listener.hpp"
#include "forward/remote/rudp_listener.hpp"
#include "kcp/listener.hpp"
#include "mux/listener.hpp"
#include "service/component_table.hpp"
#include "service/kcp_settings.hpp"
#include "service/mux_settings.hpp"
#include "service/node_registry.hpp"
#include "service/option_reader.hpp"
#include "service/socket_settings.hpp"
#include "service/ws_settings.hpp"
#include "socks4/handler.hpp"
#include "socks5/handler.hpp"
#include "tcp/listener.hpp"
#include "tls/upgrade.hpp"
#include "udp/listener.hpp"
#include "ws/upgrade.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace gost {

namespace {

using MakeHandler = Result<std::shared_ptr<const Handler>> (*)(const config::Handler&, const HandlerResources&);
using MakeListener = Result<std::unique_ptr<Listener>> (*)(const config::Listener&, const std::string&,
                                                           const ListenerResources&);

/// Those below it are for services of the system.
constexpr std::uint16_t kFirstFreePort = 1024;

/// Any value that is not positive means the default, as in GOST.
Duration read_timeout(OptionReader& options, Duration otherwise) {
  Duration timeout = options.duration({"readTimeout"}, otherwise);
  return timeout > Duration::zero() ? timeout : otherwise;
}

BindOptions binding(OptionReader& options) {
  BindOptions typed;
  typed.public_addr = options.host({"socks.publicAddr", "publicAddr"});
  typed.accept_timeout = options.duration({"bindTimeout"}, typed.accept_timeout);
  return typed;
}

socks5::UdpOptions relaying(OptionReader& options) {
  socks5::UdpOptions typed;
  typed.public_addr = options.host({"socks.publicAddr", "publicAddr"});
  typed.buffer_size = options.size({"udp.bufferSize", "udpBufferSize"}, typed.buffer_size);
  typed.port_min = options.port({"udp.bindRange.min", "udp.minPort"});
  typed.port_max = options.port({"udp.bindRange.max", "udp.maxPort"});
  if (typed.port_max > 0 && typed.port_min > typed.port_max)
    options.refuse("udp.bindRange.max is " + std::to_string(typed.port_max) +
                   ", but must not be below udp.bindRange.min (" + std::to_string(typed.port_min) + ")");
  if (typed.port_max > 0 && typed.port_min == 0) typed.port_min = std::min(kFirstFreePort, typed.port_max);
  if (options.has({"udp.idleTimeout"})) typed.idle_timeout = options.duration({"udp.idleTimeout"}, {});
  if (options.has({"udp.maxAssociations"}))
    typed.max_associations =
        static_cast<std::size_t>(std::max<std::int64_t>(options.integer({"udp.maxAssociations"}, 0), 0));
  typed.batching = options.boolean({"udp.batching"}, true);
  return typed;
}

Result<std::shared_ptr<const Handler>> make_socks4(const config::Handler& handler,
                                                   const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  socks4::HandlerOptions typed{.auther = resources.auther, .router = resources.router};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  typed.bind = options.boolean({"bind"}, false);
  typed.binding = binding(options);
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_shared<const socks4::SocksHandler>(std::move(typed));
}

Result<std::shared_ptr<const Handler>> make_socks5(const config::Handler& handler,
                                                   const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  socks5::HandlerOptions typed{.auther = resources.auther, .router = resources.router};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  typed.bind = options.boolean({"bind"}, false);
  typed.binding = binding(options);
  if (!options.boolean({"notls"}, false)) typed.tls = resources.tls;
  typed.udp = options.boolean({"udp"}, false);
  typed.relaying = relaying(options);
  typed.mbinding.comp = options.boolean({"comp"}, false);
  auto mux = multiplexing(options);
  if (!mux) return fail(std::move(mux.error()));
  typed.mbinding.mux = *mux;
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_shared<const socks5::SocksHandler>(std::move(typed));
}

Result<std::shared_ptr<const Handler>> make_auto(const config::Handler& handler, const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  auto socks4 = make_socks4(handler, resources);
  if (!socks4) return socks4;
  auto socks5 = make_socks5(handler, resources);
  if (!socks5) return socks5;
  AutoHandlerOptions typed{.socks4 = std::move(*socks4), .socks5 = std::move(*socks5)};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  return std::make_shared<const AutoHandler>(std::move(typed));
}

Result<std::shared_ptr<const Handler>> make_forward(const config::Handler& handler,
                                                    const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  forward::HandlerOptions typed{.router = resources.router, .targets = resources.targets};
  typed.idle_timeout = options.duration({"idleTimeout"}, typed.idle_timeout);
  bool proxy_protocol = options.integer({"proxyProtocol"}, 0) > 0;
  if (auto error = options.error()) return fail(std::move(*error));
  if (proxy_protocol) return fail(Cause::invalid, "option 'proxyProtocol' is not available in this build");
  if (!typed.targets || typed.targets->empty())
    return fail(Cause::invalid,
                "handler '" + handler.type +
                    "' has no target. Write it behind the address, as in udp://:5353/192.0.2.1:53, or "
                    "in a file as forwarder.nodes");
  return std::make_shared<const forward::ForwardHandler>(std::move(typed));
}

Result<std::unique_ptr<Listener>> make_udp(const config::Listener& listener, const std::string& address,
                                           const ListenerResources&) {
  OptionReader options(listener.metadata);
  UdpListenerOptions typed;
  typed.backlog = options.size({"backlog"}, typed.backlog);
  typed.max_sessions = options.size({"maxSessions"}, typed.max_sessions);
  typed.demux.longest = options.size({"readBufferSize", "udp.bufferSize"}, typed.demux.longest);
  typed.demux.queue_size = options.size({"readQueueSize", "recvQueueSize"}, typed.demux.queue_size);
  typed.socket.socket.batching = options.boolean({"udp.batching"}, true);
  Duration ttl = options.duration({"ttl", "keepalive.ttl"}, typed.demux.ttl);
  if (ttl > Duration::zero()) typed.demux.ttl = ttl;
  options.boolean({"keepalive"}, false);  // a session lives as long either way, but the value must make sense
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_unique<UdpListener>(address, typed);
}

Result<std::unique_ptr<Listener>> make_rtcp(const config::Listener&, const std::string& address,
                                            const ListenerResources& resources) {
  return std::make_unique<forward::RtcpListener>(address, resources.router, resources.log);
}

Result<std::unique_ptr<Listener>> make_rudp(const config::Listener& listener, const std::string& address,
                                            const ListenerResources& resources) {
  OptionReader options(listener.metadata);
  forward::RudpOptions typed;
  typed.backlog = options.size({"backlog"}, typed.backlog);
  typed.demux.longest = options.size({"readBufferSize"}, typed.demux.longest);
  typed.demux.queue_size = options.size({"readQueueSize"}, typed.demux.queue_size);
  Duration ttl = options.duration({"ttl"}, typed.demux.ttl);
  if (ttl > Duration::zero()) typed.demux.ttl = ttl;
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_unique<forward::RudpListener>(address, typed, resources.router, resources.log);
}

/// TLS, if the listener encrypts; else null.
std::shared_ptr<const StreamUpgrade> encryption_of(const ListenerResources& resources) {
  if (!resources.tls) return nullptr;
  return std::make_shared<const tls::TlsUpgrade>(resources.tls, resources.handshake_timeout);
}

/// A listener for TCP, each of whose connections begins with `upgrade` (null: with nothing).
Result<std::unique_ptr<Listener>> listen_tcp(const config::Listener& listener, const std::string& address,
                                             std::shared_ptr<const StreamUpgrade> upgrade) {
  OptionReader options(listener.metadata);
  ListenOptions typed;
  typed.multipath = options.boolean({"mptcp"}, false);
  typed.reuse_port = options.boolean({"reuseport"}, false);
  auto keepalive = keepalive_of(listener.metadata);
  if (!keepalive) return fail(keepalive.error());
  typed.keepalive = *keepalive;
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_unique<TcpListener>(address, typed, std::move(upgrade));
}

/// `tcp`, and with a TLS context `tls`.
Result<std::unique_ptr<Listener>> make_tcp(const config::Listener& listener, const std::string& address,
                                           const ListenerResources& resources) {
  return listen_tcp(listener, address, encryption_of(resources));
}

/// `ws`, and with a TLS context `wss`.
Result<std::unique_ptr<Listener>> make_ws(const config::Listener& listener, const std::string& address,
                                          const ListenerResources& resources) {
  auto options = ws_server_options(listener.metadata);
  if (!options) return fail(std::move(options.error()));
  ListenerResources below = resources;
  below.handshake_timeout = options->handshake_timeout;
  std::shared_ptr<const StreamUpgrade> upgrade = std::make_shared<const ws::WsUpgrade>(std::move(*options));
  if (auto tls = encryption_of(below)) upgrade = std::make_shared<const StackedUpgrade>(tls, upgrade);
  return listen_tcp(listener, address, std::move(upgrade));
}

/// Many streams on each connection of the listener that `make_below` makes.
template <MakeListener make_below, std::int64_t version>
Result<std::unique_ptr<Listener>> make_mux(const config::Listener& listener, const std::string& address,
                                           const ListenerResources& resources) {
  OptionReader options(listener.metadata);
  auto mux = multiplexing(options, version);
  if (!mux) return fail(std::move(mux.error()));
  auto below = make_below(listener, address, resources);
  if (!below) return below;
  return std::make_unique<MuxListener>(std::move(*below), *mux);
}

Result<std::unique_ptr<Listener>> make_kcp(const config::Listener& listener, const std::string& address,
                                           const ListenerResources& resources) {
  auto settings = kcp_settings(listener.metadata, KcpSide::listener);
  if (!settings) return fail(std::move(settings.error()));
  for (const std::string& warning : settings->warnings) resources.log.warn(warning);
  auto below = kcp::KcpListener::make(address, settings->options, resources.log);
  if (!below) return fail(std::move(below.error()));
  return std::make_unique<MuxListener>(std::move(*below), MuxOptions(settings->mux));
}

// The table to extend: name, factory.
constexpr std::array kHandlers{
    std::pair<std::string_view, MakeHandler>{"auto", &make_auto},
    std::pair<std::string_view, MakeHandler>{"forward", &make_forward},
    std::pair<std::string_view, MakeHandler>{"rtcp", &make_forward},
    std::pair<std::string_view, MakeHandler>{"rudp", &make_forward},
    std::pair<std::string_view, MakeHandler>{"socks4", &make_socks4},
    std::pair<std::string_view, MakeHandler>{"socks5", &make_socks5},
    std::pair<std::string_view, MakeHandler>{"tcp", &make_forward},
    std::pair<std::string_view, MakeHandler>{"udp", &make_forward},
};
constexpr std::array kListeners{
    std::pair<std::string_view, MakeListener>{"kcp", &make_kcp},
    std::pair<std::string_view, MakeListener>{"mtcp", &make_mux<&make_tcp, 2>},
    std::pair<std::string_view, MakeListener>{"mtls", &make_mux<&make_tcp, 1>},
    std::pair<std::string_view, MakeListener>{"mws", &make_mux<&make_ws, 1>},
    std::pair<std::string_view, MakeListener>{"mwss", &make_mux<&make_ws, 1>},
    std::pair<std::string_view, MakeListener>{"rtcp", &make_rtcp},
    std::pair<std::string_view, MakeListener>{"rudp", &make_rudp},
    std::pair<std::string_view, MakeListener>{"tcp", &make_tcp},
    std::pair<std::string_view, MakeListener>{"tls", &make_tcp},
    std::pair<std::string_view, MakeListener>{"udp", &make_udp},
    std::pair<std::string_view, MakeListener>{"ws", &make_ws},
    std::pair<std::string_view, MakeListener>{"wss", &make_ws},
};
// Of these, whose sessions are datagrams, and who can serve such.
constexpr std::array<std::string_view, 2> kDatagramListeners{"rudp", "udp"};
constexpr std::array<std::string_view, 5> kDatagramHandlers{"forward", "rtcp", "rudp", "tcp", "udp"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

config::Availability availability() {
  config::Availability available;
  for (auto& [name, make] : kHandlers) available.handlers.emplace(name);
  for (auto& [name, make] : kListeners) available.listeners.emplace(name);
  add_node_components(available);
  using config::Feature;
  available.features = {Feature::handler_tls, Feature::chains,    Feature::forwarders,
                        Feature::bypasses,    Feature::resolvers, Feature::hosts};
  return available;
}

Result<std::shared_ptr<const Handler>> make_handler(const config::Handler& handler,
                                                    const HandlerResources& resources) {
  auto make = factory_for(kHandlers, config::Kind::handler, handler.type);
  if (!make) return fail(make.error());
  return (*make)(handler, resources);
}

Result<std::unique_ptr<Listener>> make_listener(const config::Listener& listener, const std::string& address,
                                                const ListenerResources& resources) {
  auto make = factory_for(kListeners, config::Kind::listener, listener.type);
  if (!make) return fail(make.error());
  return (*make)(listener, address, resources);
}

Result<> check_pair(const config::Handler& handler, const config::Listener& listener) {
  std::string_view handler_name = config::canonical_name(config::Kind::handler, handler.type);
  std::string_view listener_name = config::canonical_name(config::Kind::listener, listener.type);
  if (!is_one_of(kDatagramListeners, listener_name) || is_one_of(kDatagramHandlers, handler_name)) return {};
  return fail(Cause::invalid, "handler '" + std::string(handler_name) +
                                  "' speaks on connections and cannot serve listener '" + std::string(listener_name) +
                                  "', which has datagrams; 'udp' and 'forward' can");
}

}  // namespace gost
