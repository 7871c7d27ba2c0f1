#include "config/check_rules.hpp"

#include "core/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gost::config {

namespace {

bool external(const Loaders& loaders) {
  return loaders.file || loaders.redis || loaders.http || loaders.plugin;
}

void check_selector(const CheckContext& context, const std::optional<Selector>& selector) {
  if (!selector) return;
  static const std::vector<std::string_view> kKnown{"round", "rr", "random", "rand", "fifo", "ha", "hash"};
  constexpr std::array<std::string_view, 4> kMissing{"parallel", "lowestlatency", "lowest", "ll"};
  const std::string& strategy = selector->strategy;
  if (strategy.empty() || std::ranges::find(kKnown, strategy) != kKnown.end()) return;
  if (std::ranges::find(kMissing, strategy) != kMissing.end())
    context.warning(selector->origin,
                    fmt::format("strategy '{}' is not available in this build: 'round' is used", strategy));
  else
    context.warning(selector->origin,
                    fmt::format("unknown strategy '{}': 'round' is used.{}", strategy, suggestion(strategy, kKnown)));
}

void check_node(const CheckContext& context, const Node& node) {
  auto ineffective = [&](bool present, std::string_view what) {
    if (present)
      context.warning(node.origin, fmt::format("'{}' of node '{}' has no effect in this build", what, node.name));
  };
  ineffective(node.probe.has_value(), "probe");
  // To ignore one of these would send traffic another way than was asked for.
  auto missing = [&](bool present, std::string_view what) {
    if (present)
      context.error(node.origin, fmt::format("'{}' of node '{}' is not available in this build", what, node.name));
  };
  missing(node.filter && !node.filter->protocol.empty(), "filter.protocol");
  missing(node.filter && !node.filter->path.empty(), "filter.path");
  missing(node.matcher && !node.matcher->rule.empty(), "matcher");
  ineffective(node.connector && node.connector->metadata.find("udp.timeout") != nullptr, "udp.timeout");
  bool elsewhere = !node.netns.empty() || node.metadata.find("netns") != nullptr;
  if (elsewhere)
    context.error(node.origin, fmt::format("'netns' of node '{}' is not available in this build", node.name));
  if (node.network == "unix")
    context.error(node.origin, fmt::format("network 'unix' of node '{}' is not available in this build", node.name));
}

void check_hop(const CheckContext& context, const Hop& hop, bool shared) {
  std::string what = fmt::format("the nodes of hop '{}'", hop.name);
  check_loaders(context, hop.origin, what, hop.loaders);
  if (hop.loaders.file)
    context.error(hop.origin, fmt::format("reading {} from a file is not available in this build", what));
  if (shared && hop.nodes.empty() && !external(hop.loaders))
    context.error(hop.origin, fmt::format("hop '{}' has no nodes", hop.name));
  if (hop.metadata.find("netns") != nullptr)
    context.error(hop.origin, fmt::format("'netns' of hop '{}' is not available in this build", hop.name));
  check_selector(context, hop.selector);
  for (const Node& node : hop.nodes) check_node(context, node);
}

/// A handler or a listener.
template <class T>
void check_group(const CheckContext& context, const std::optional<T>& it) {
  if (it && it->chain_group) check_selector(context, it->chain_group->selector);
}

/// Only listeners that bind at the end of a chain have a use for one of their own; any other's is the handler's.
void check_listener(const CheckContext& context, const Service& service) {
  if (!service.listener) return;
  const Listener& listener = *service.listener;
  bool named = !listener.chain.empty() || listener.chain_group;
  bool handler_has_one = service.handler && (!service.handler->chain.empty() || service.handler->chain_group);
  bool binds_remotely = listener.type == "rtcp" || listener.type == "rudp" || listener.type == "runix";
  if (named && handler_has_one && !binds_remotely)
    context.warning(listener.origin, fmt::format("'chain' of listener '{}' has no effect: the handler's is used",
                                                 canonical_name(Kind::listener, listener.type)));
}

void check_forwarder(const CheckContext& context, const Forwarder& forwarder) {
  check_selector(context, forwarder.selector);
  if (!forwarder.hop_group.is_null())
    context.error(forwarder.origin, "'hopGroup' of a forwarder is not available in this build");
  for (const ForwardNode& node : forwarder.nodes) {
    if (node.network == "unix")
      context.error(node.origin,
                    fmt::format("network 'unix' of target '{}' is not available in this build", node.name));
    // Of targets GOST looks at these when it has looked into the traffic.
    auto ineffective = [&](bool present, std::string_view what) {
      if (present)
        context.warning(node.origin, fmt::format("'{}' of target '{}' has no effect in this build", what, node.name));
    };
    ineffective(!node.bypass.empty() || !node.bypasses.empty(), "bypass");
    ineffective(node.filter.has_value(), "filter");
    ineffective(node.matcher.has_value(), "matcher");
  }
}

void check_bypass(const CheckContext& context, const Bypass& bypass) {
  check_loaders(context, bypass.origin, fmt::format("bypass '{}'", bypass.name), bypass.loaders);
  const std::string& network = bypass.network;
  if (!network.empty() && network != "tcp" && network != "udp")
    context.error(bypass.origin,
                  fmt::format("bypass '{}': network '{}' is neither tcp nor udp", bypass.name, network));
}

void check_hosts(const CheckContext& context, const Hosts& hosts) {
  check_loaders(context, hosts.origin, fmt::format("hosts '{}'", hosts.name), hosts.loaders);
  for (const HostMapping& mapping : hosts.mappings) {
    if (mapping.hostname.empty())
      context.error(mapping.origin, fmt::format("hosts '{}': this mapping has no hostname", hosts.name));
    if (!IpAddress::parse(mapping.ip))
      context.error(mapping.origin, fmt::format("hosts '{}': '{}' is not an IP address", hosts.name, mapping.ip));
  }
}

void check_resolver(const CheckContext& context, const Resolver& resolver) {
  std::string what = fmt::format("resolver '{}'", resolver.name);
  if (resolver.plugin) context.require(Feature::plugins, resolver.origin, fmt::format("a plugin for {}", what));
  if (!resolver.plugin && resolver.nameservers.empty())
    context.error(resolver.origin, fmt::format("{} has no nameservers: no name would be found", what));
  auto is_family = [](const std::string& text) { return text.empty() || text == "ipv4" || text == "ipv6"; };
  for (const Nameserver& server : resolver.nameservers) {
    if (!is_family(server.prefer))
      context.error(server.origin, fmt::format("{}: prefer '{}' is neither ipv4 nor ipv6", what, server.prefer));
    if (!is_family(server.only))
      context.error(server.origin, fmt::format("{}: only '{}' is neither ipv4 nor ipv6", what, server.only));
    if (!server.client_ip.empty() && !IpAddress::parse(server.client_ip))
      context.error(server.origin, fmt::format("{}: clientIP '{}' is not an IP address", what, server.client_ip));
    if (server.timeout < Duration::zero())
      context.error(server.origin, fmt::format("{}: 'timeout' is negative", what));
  }
}

}  // namespace

void check_chains(const CheckContext& context) {
  const Config& config = context.config;
  for (const Service& service : config.services) {
    check_group(context, service.handler);
    check_group(context, service.listener);
    check_listener(context, service);
    if (service.forwarder) check_forwarder(context, *service.forwarder);
  }
  for (const Chain& chain : config.chains)
    for (const Hop& hop : chain.hops) check_hop(context, hop, false);
  for (const Hop& hop : config.hops) check_hop(context, hop, true);
  for (const Bypass& bypass : config.bypasses) check_bypass(context, bypass);
  for (const Hosts& hosts : config.hosts) check_hosts(context, hosts);
  for (const Resolver& resolver : config.resolvers) check_resolver(context, resolver);
}

}  // namespace gost::config
