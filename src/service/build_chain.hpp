// From the configuration's chains, hops, nodes and forwarders to the objects that route.
#pragma once

#include "route/hop.hpp"
#include "route/target_list.hpp"
#include "service/build_policies.hpp"
#include "service/build_tls.hpp"
#include "service/node_registry.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace gost {

/// The selector of a hop, a forwarder or a chain group; GOST's defaults where nothing is said.
SelectorOptions selector_of(const std::optional<config::Selector>& selector);

/// Every chain, shared hop and resolver is made once and shared by all services, with its marks and caches.
class ChainBuilder {
 public:
  ChainBuilder(BuildContext& context, PolicyBuilder& policies, TlsBuilder& tls)
      : context_(context), policies_(policies), tls_(tls) {}

  /// Makes all of them, so that mistakes in those that nobody uses are found too.
  void make_all();

  /// `chain` and the chains of `group` of a handler or a listener; null if they name none, or if one of them cannot
  /// be made, which is an error of the configuration.
  std::shared_ptr<const ChainGroup> chains_of(const config::Origin& at, const std::string& chain,
                                              const std::optional<config::ChainGroup>& group);
  /// Null if nothing is named.
  std::shared_ptr<const NameServers> resolver_of(const config::Origin& at, const std::string& name);
  /// The targets of a service; null if it has no forwarder.
  std::shared_ptr<const TargetList> targets_of(const config::Service& service);

 private:
  std::shared_ptr<const Chain> chain_of(const config::Origin& at, const std::string& name);
  std::shared_ptr<const Chain> make(const config::Chain& chain);
  std::shared_ptr<const Hop> shared_hop(const config::Origin& at, const std::string& name);
  std::shared_ptr<const Hop> make(const config::Hop& hop);
  std::optional<NodeOptions> make(const config::Node& node, const config::Hop& hop, const OutboundOptions& inherited);
  void add_tls(const config::Node& node, NodeResources& resources);
  std::shared_ptr<const NameServers> make(const config::Resolver& resolver);
  std::optional<NameServerOptions> make(const config::Nameserver& server, const std::string& resolver);
  template <class ConfiguredNode>
  std::shared_ptr<const TargetList> make_targets(const std::vector<ConfiguredNode>& nodes,
                                                 const std::optional<config::Selector>& selector);

  BuildContext& context_;
  PolicyBuilder& policies_;
  TlsBuilder& tls_;
  std::shared_ptr<const Outbound> sockets_ = std::make_shared<const KernelOutbound>();
  std::map<std::string, std::shared_ptr<const Chain>, std::less<>> chains_;
  std::map<std::string, std::shared_ptr<const Hop>, std::less<>> hops_;
  std::map<std::string, std::shared_ptr<const NameServers>, std::less<>> resolvers_;
  std::set<std::string> under_way_;  ///< "chain c", "hop h": being made
};

}  // namespace gost
