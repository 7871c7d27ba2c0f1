#include "config/check_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace gost::config {

namespace {

/// The named objects of one list: what a reference may point to.
template <class T>
std::vector<std::string_view> names_of(const std::vector<T>& list) {
  std::vector<std::string_view> names;
  names.reserve(list.size());
  for (const T& it : list) names.push_back(it.name);
  return names;
}

/// Reports names that occur twice and names that are empty.
template <class T>
void check_list(const CheckContext& context, std::string_view kind, const std::vector<T>& list) {
  std::map<std::string_view, const T*> seen;
  for (const T& it : list) {
    if (it.name.empty()) {
      context.error(it.origin, fmt::format("this {} has no name; give it one with 'name'", kind));
      continue;
    }
    auto [first, added] = seen.emplace(it.name, &it);
    if (!added)
      context.error(it.origin, fmt::format("{} name '{}' is already used at {}; every {} needs its own name", kind,
                                           it.name, first->second->origin.to_string(), kind));
  }
}

class References {
 public:
  explicit References(const CheckContext& context) : context_(context) {}

  void service(const Service& service) const {
    const Config& config = context_.config;
    const Origin& at = service.origin;
    all(at, "admission", Feature::admissions, service.admission, service.admissions, config.admissions);
    all(at, "bypass", Feature::bypasses, service.bypass, service.bypasses, config.bypasses);
    one(at, "resolver", Feature::resolvers, service.resolver, config.resolvers);
    one(at, "hosts", Feature::hosts, service.hosts, config.hosts);
    one(at, "limiter", Feature::limiters, service.limiter, config.limiters);
    one(at, "climiter", Feature::climiters, service.climiter, config.climiters);
    one(at, "rlimiter", Feature::rlimiters, service.rlimiter, config.rlimiters);
    all(at, "quota", Feature::quotas, {}, service.quotas, config.quotas);
    all(at, "logger", Feature::loggers, service.logger, service.loggers, config.loggers);
    one(at, "observer", Feature::observers, service.observer, config.observers);
    for (const RecorderObject& recorder : service.recorders)
      one(recorder.origin, "recorder", Feature::recorders, recorder.name, config.recorders);
    if (service.handler) endpoint(*service.handler);
    if (service.handler) {
      one(service.handler->origin, "limiter", Feature::limiters, service.handler->limiter, config.limiters);
      one(service.handler->origin, "observer", Feature::observers, service.handler->observer, config.observers);
    }
    if (service.listener) endpoint(*service.listener);
    if (service.forwarder) forwarder(*service.forwarder);
  }

  void hop(const Hop& hop) const {
    const Config& config = context_.config;
    all(hop.origin, "bypass", Feature::bypasses, hop.bypass, hop.bypasses, config.bypasses);
    one(hop.origin, "resolver", Feature::resolvers, hop.resolver, config.resolvers);
    one(hop.origin, "hosts", Feature::hosts, hop.hosts, config.hosts);
    for (const Node& node : hop.nodes) {
      all(node.origin, "bypass", Feature::bypasses, node.bypass, node.bypasses, config.bypasses);
      one(node.origin, "resolver", Feature::resolvers, node.resolver, config.resolvers);
      one(node.origin, "hosts", Feature::hosts, node.hosts, config.hosts);
    }
  }

  void chain(const Chain& chain) const {
    if (chain.hops.empty())
      context_.error(chain.origin,
                     fmt::format("chain '{}' has no hops: connections would go out directly", chain.name));
    for (const Hop& it : chain.hops) {
      hop(it);
      bool external = it.loaders.file || it.loaders.http || it.loaders.redis || it.loaders.plugin;
      if (!it.nodes.empty() || external) continue;
      if (it.origin.line == 0)
        context_.error(it.origin, "no proxy address: write -F scheme://host:port");
      else
        reference(it.origin, "hop", it.name, names_of(context_.config.hops));
    }
  }

  /// A name that must exist, without a feature of its own.
  template <class T>
  void named(const Origin& at, std::string_view kind, const std::string& name, const std::vector<T>& list) const {
    if (!name.empty()) reference(at, kind, name, names_of(list));
  }

 private:
  /// Reports a name that is not among `names`; true if it is.
  bool reference(const Origin& at, std::string_view kind, const std::string& name,
                 const std::vector<std::string_view>& names) const {
    if (std::ranges::find(names, name) != names.end()) return true;
    context_.error(at, fmt::format("{} '{}' is not defined.{}", kind, name, suggestion(name, names)));
    return false;
  }

  template <class T>
  void one(const Origin& at, std::string_view kind, Feature feature, const std::string& name,
           const std::vector<T>& list) const {
    if (name.empty() || !reference(at, kind, name, names_of(list))) return;
    context_.require(feature, at, fmt::format("{} '{}'", kind, name));
  }

  template <class T>
  void all(const Origin& at, std::string_view kind, Feature feature, const std::string& name, const TextList& names,
           const std::vector<T>& list) const {
    one(at, kind, feature, name, list);
    for (const std::string& more : names) one(at, kind, feature, more, list);
  }

  /// A handler or a listener.
  template <class T>
  void endpoint(const T& it) const {
    const Config& config = context_.config;
    one(it.origin, "chain", Feature::chains, it.chain, config.chains);
    if (it.chain_group && it.chain_group->chains.empty())
      context_.error(it.chain_group->origin, "this chainGroup has no chains: connections would go out directly");
    if (it.chain_group)
      for (const ChainRef& ref : it.chain_group->chains)
        one(ref.origin, "chain", Feature::chains, ref.chain, config.chains);
    named(it.origin, "auther", it.auther, config.authers);
    for (const std::string& name : it.authers) named(it.origin, "auther", name, config.authers);
  }

  void forwarder(const Forwarder& it) const {
    context_.require(Feature::forwarders, it.origin, "a forwarder");
    named(it.origin, "hop", it.hop.empty() ? it.name : it.hop, context_.config.hops);
    for (const ForwardNode& node : it.nodes)
      all(node.origin, "bypass", Feature::bypasses, node.bypass, node.bypasses, context_.config.bypasses);
  }

  const CheckContext& context_;
};

}  // namespace

void check_names(const CheckContext& context) {
  const Config& config = context.config;
  check_list(context, "service", config.services);
  check_list(context, "chain", config.chains);
  check_list(context, "hop", config.hops);
  check_list(context, "auther", config.authers);
  check_list(context, "admission", config.admissions);
  check_list(context, "bypass", config.bypasses);
  check_list(context, "resolver", config.resolvers);
  check_list(context, "hosts", config.hosts);
  check_list(context, "recorder", config.recorders);
  check_list(context, "limiter", config.limiters);
  check_list(context, "climiter", config.climiters);
  check_list(context, "rlimiter", config.rlimiters);
  check_list(context, "quota", config.quotas);
  check_list(context, "observer", config.observers);
  check_list(context, "logger", config.loggers);
  References references(context);
  for (const Service& service : config.services) references.service(service);
  for (const Chain& chain : config.chains) references.chain(chain);
  for (const Hop& hop : config.hops) references.hop(hop);
  for (const Resolver& resolver : config.resolvers)
    for (const Nameserver& server : resolver.nameservers)
      references.named(server.origin, "chain", server.chain, config.chains);
  if (config.api) references.named(config.api->origin, "auther", config.api->auther, config.authers);
  if (config.metrics) references.named(config.metrics->origin, "auther", config.metrics->auther, config.authers);
}

}  // namespace gost::config
