#include "service/build_chain.hpp"

#include "config/check_rules.hpp"
#include "service/node_registry.hpp"
#include "service/option_reader.hpp"
#include "service/socket_settings.hpp"

#include <algorithm>
#include <limits>

namespace gost {

namespace {

int clamp_to_int(std::int64_t number) {
  return static_cast<int>(std::clamp<std::int64_t>(number, 0, std::numeric_limits<int>::max()));
}

Result<CandidateOptions> candidate_of(const config::Metadata& metadata) {
  constexpr std::int64_t kMaxWeight = 1'000'000;
  OptionReader options(metadata);
  CandidateOptions candidate;
  candidate.weight = static_cast<int>(std::clamp<std::int64_t>(options.integer({"weight"}, 1), 1, kMaxWeight));
  candidate.backup = options.boolean({"backup"}, false);
  candidate.max_fails = clamp_to_int(options.integer({"maxFails"}, 0));
  candidate.fail_timeout = options.duration({"failTimeout"}, Duration::zero());
  if (auto error = options.error()) return fail(std::move(*error));
  return candidate;
}

/// Whether something is being made for as long as this lives, so that a circle is noticed.
class Step {
 public:
  Step(std::set<std::string>& under_way, std::string what) : under_way_(under_way), what_(std::move(what)) {
    entered_ = under_way_.insert(what_).second;
  }
  ~Step() {
    if (entered_) under_way_.erase(what_);
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  bool is_circle() const { return !entered_; }

 private:
  std::set<std::string>& under_way_;
  std::string what_;
  bool entered_;
};

/// "*.x" and "*x" mean ".x".
std::string host_filter(std::string_view host) {
  if (!host.starts_with('*')) return std::string(host);
  host.remove_prefix(1);
  return host.starts_with('.') ? std::string(host) : "." + std::string(host);
}

}  // namespace

SelectorOptions selector_of(const std::optional<config::Selector>& selector) {
  SelectorOptions options;
  if (!selector) return options;
  options.strategy = parse_strategy(selector->strategy).value_or(Strategy::round);
  if (selector->max_fails > 0) options.max_fails = clamp_to_int(selector->max_fails);
  if (selector->fail_timeout > Duration::zero()) options.fail_timeout = selector->fail_timeout;
  return options;
}

void ChainBuilder::make_all() {
  for (const config::Chain& chain : context_.config.chains) chain_of(chain.origin, chain.name);
  for (const config::Hop& hop : context_.config.hops)
    if (!hop.nodes.empty()) shared_hop(hop.origin, hop.name);
  for (const config::Resolver& resolver : context_.config.resolvers) resolver_of(resolver.origin, resolver.name);
}

std::shared_ptr<const ChainGroup> ChainBuilder::chains_of(const config::Origin& at, const std::string& chain,
                                                          const std::optional<config::ChainGroup>& group) {
  std::vector<std::shared_ptr<const Chain>> chains;
  bool complete = true;
  auto add = [&](const config::Origin& place, const std::string& name) {
    auto made = chain_of(place, name);
    complete = complete && made != nullptr;
    if (made) chains.push_back(std::move(made));
  };
  if (!chain.empty()) add(at, chain);
  if (group)
    for (const config::ChainRef& ref : group->chains) add(ref.origin, ref.chain);
  if (group && chains.empty()) context_.error(group->origin, "this chainGroup has no chain that can be used");
  if (chains.empty() || !complete) return nullptr;
  return std::make_shared<const ChainGroup>(std::move(chains), selector_of(group ? group->selector : std::nullopt));
}

std::shared_ptr<const Chain> ChainBuilder::chain_of(const config::Origin& at, const std::string& name) {
  if (auto known = chains_.find(name); known != chains_.end()) return known->second;
  const config::Chain* chain = find_named(context_.config.chains, name);
  if (chain == nullptr) {
    context_.error(at, "chain '" + name + "' is not defined");
    return nullptr;
  }
  Step step(under_way_, "chain " + name);
  if (step.is_circle()) {
    context_.error(at, "chain '" + name + "' is needed to make itself: a resolver of it is asked through it");
    return nullptr;
  }
  auto made = make(*chain);
  return chains_[name] = made;
}

std::shared_ptr<const Chain> ChainBuilder::make(const config::Chain& chain) {
  std::vector<std::shared_ptr<const Hop>> hops;
  for (const config::Hop& it : chain.hops) {
    auto hop = it.nodes.empty() ? shared_hop(it.origin, it.name) : make(it);
    if (!hop) return nullptr;
    hops.push_back(std::move(hop));
  }
  if (hops.empty()) {
    context_.error(chain.origin, "chain '" + chain.name + "' has no hops");
    return nullptr;
  }
  for (std::size_t i = 0; i + 1 < hops.size(); ++i)
    for (const Node& node : hops[i]->nodes())
      if (node.options.kind == NodeKind::datagrams) {
        context_.error(chain.hops[i].origin, "chain '" + chain.name + "': only its last hop can have dialer 'udp'");
        return nullptr;
      }
  return std::make_shared<const Chain>(chain.name, std::move(hops));
}

std::shared_ptr<const Hop> ChainBuilder::shared_hop(const config::Origin& at, const std::string& name) {
  if (auto known = hops_.find(name); known != hops_.end()) return known->second;
  const config::Hop* hop = find_named(context_.config.hops, name);
  if (hop == nullptr) {
    context_.error(at, "hop '" + name + "' is not defined");
    return nullptr;
  }
  Step step(under_way_, "hop " + name);
  if (step.is_circle()) {
    context_.error(at, "hop '" + name + "' is needed to make itself: a resolver of it is asked through it");
    return nullptr;
  }
  auto made = make(*hop);
  return hops_[name] = made;
}

std::shared_ptr<const Hop> ChainBuilder::make(const config::Hop& hop) {
  if (hop.nodes.empty()) {
    context_.error(hop.origin, "hop '" + hop.name + "' has no nodes");
    return nullptr;
  }
  auto outbound = outbound_of(hop.metadata, hop.interface, hop.sockopts);
  if (!outbound) {
    context_.error(hop.origin, outbound.error());
    return nullptr;
  }
  HopOptions options;
  options.name = hop.name;
  options.selector = selector_of(hop.selector);
  options.bypass = policies_.bypass_of(hop.origin, hop.bypass, hop.bypasses);
  for (const config::Node& node : hop.nodes) {
    auto made = make(node, hop, *outbound);
    if (!made) return nullptr;
    options.nodes.push_back(std::move(*made));
  }
  return std::make_shared<const Hop>(std::move(options));
}

std::optional<NodeOptions> ChainBuilder::make(const config::Node& node, const config::Hop& hop,
                                              const OutboundOptions& inherited) {
  NodeOptions options;
  options.name = node.name;
  options.names.hosts = policies_.hosts_of(node.origin, node.hosts.empty() ? hop.hosts : node.hosts);
  options.names.resolver = resolver_of(node.origin, node.resolver.empty() ? hop.resolver : node.resolver);
  options.bypass = policies_.bypass_of(node.origin, node.bypass, node.bypasses);
  if (node.filter) options.only_for = host_filter(node.filter->host);
  auto refuse = [&](const Error& why) {
    context_.error(node.origin, why);
    return std::nullopt;
  };
  auto outbound = outbound_of(node.metadata, node.interface, node.sockopts, inherited);
  if (!outbound) return refuse(outbound.error());
  options.outbound = *outbound;
  auto candidate = candidate_of(node.metadata);
  if (!candidate) return refuse(candidate.error());
  options.candidate = *candidate;

  NodeResources resources;
  resources.log = context_.log.with({{"hop", hop.name}, {"node", node.name}});
  resources.lookup = lookup_by(options.names);
  resources.address = node.addr;
  if (auto address = parse_endpoint(node.addr)) resources.host = address->host;
  add_tls(node, resources);
  auto parts = make_node_parts(node.connector.value_or(config::Connector()), node.dialer.value_or(config::Dialer()),
                               resources);
  if (!parts) return refuse(parts.error().in("node '" + node.name + "'"));
  options.kind = parts->kind;
  options.connector = std::move(parts->connector);
  options.dialer = std::move(parts->dialer);
  options.outbound.socket.keepalive = parts->keepalive;
  if (options.kind == NodeKind::direct || options.kind == NodeKind::reject) return options;
  auto address = parse_endpoint(node.addr);
  if (!address) return refuse(address.error().in("node '" + node.name + "'"));
  options.address = std::move(*address);
  return options;
}

void ChainBuilder::add_tls(const config::Node& node, NodeResources& resources) {
  const config::Connector connector = node.connector.value_or(config::Connector());
  const config::Dialer dialer = node.dialer.value_or(config::Dialer());
  if (config::encrypts(config::Kind::dialer, dialer.type))
    resources.dialer_tls = tls_.client(node.origin, dialer.tls ? &*dialer.tls : nullptr);
  if (config::canonical_name(config::Kind::connector, connector.type) != "socks5") return;
  resources.connector_tls = tls_.client(node.origin, config::negotiated_tls(node));
}

std::shared_ptr<const TargetList> ChainBuilder::targets_of(const config::Service& service) {
  if (!service.forwarder) return nullptr;
  const config::Forwarder& forwarder = *service.forwarder;
  const std::string& hop = forwarder.hop.empty() ? forwarder.name : forwarder.hop;
  if (!hop.empty() && forwarder.nodes.empty()) {
    const config::Hop* named = find_named(context_.config.hops, hop);
    if (named != nullptr) return make_targets(named->nodes, named->selector);
    context_.error(forwarder.origin, "hop '" + hop + "' is not defined");
    return nullptr;
  }
  return make_targets(forwarder.nodes, forwarder.selector);
}

template <class ConfiguredNode>
std::shared_ptr<const TargetList> ChainBuilder::make_targets(const std::vector<ConfiguredNode>& nodes,
                                                             const std::optional<config::Selector>& selector) {
  std::vector<TargetOptions> targets;
  for (const ConfiguredNode& node : nodes) {
    auto address = parse_endpoint(node.addr);
    auto candidate = candidate_of(node.metadata);
    if (!address) context_.error(node.origin, address.error().in("target '" + node.name + "'"));
    if (!candidate) context_.error(node.origin, candidate.error());
    if (address && candidate) targets.push_back({node.name, std::move(*address), *candidate});
  }
  return std::make_shared<const TargetList>(std::move(targets), selector_of(selector));
}

}  // namespace gost
