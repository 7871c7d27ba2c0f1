// Node, hop and chain: the proxies on the way to a target (config.md §3.3, §4.2).
#pragma once

#include "component/connector.hpp"
#include "core/network.hpp"
#include "policy/bypass.hpp"
#include "route/names.hpp"
#include "route/outbound.hpp"
#include "route/selector.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

enum class NodeKind : std::uint8_t {
  proxy,      ///< a transport made by the dialer, on which the connector asks for the target
  datagrams,  ///< connector `forward` over dialer `udp`: every datagram goes to the node itself
  direct,     ///< connector `direct`: no proxy, the target is dialed with the node's settings
  reject,     ///< connector `direct` with action=reject: every target is refused
};

struct NodeOptions {
  std::string name;  ///< "node-0"
  NodeKind kind = NodeKind::proxy;
  Endpoint address;
  std::shared_ptr<const Connector> connector;  ///< of a proxy, else null
  std::shared_ptr<const Dialer> dialer;        ///< of a proxy, else null
  OutboundOptions outbound;                    ///< for a connection of our own to the node
  NameRules names;                             ///< for the node's address
  std::shared_ptr<const Bypass> bypass;        ///< targets for which the node is not used; may be null
  std::string only_for;                        ///< a host; ".x": x and all below it; empty: any target
  CandidateOptions candidate;
};

struct Node {
  explicit Node(NodeOptions settings) : options(std::move(settings)), candidate(options.candidate) {}
  const NodeOptions options;
  const Candidate candidate;
};

/// What a request is about, for bypasses and selectors.
struct RouteRequest {
  Network network = Network::tcp;
  std::optional<Endpoint> target;  ///< nothing for datagrams to anywhere: then no bypass applies
  std::string hash_key;            ///< see Selector
};

struct HopOptions {
  std::string name;                ///< "hop-0"
  std::vector<NodeOptions> nodes;  ///< at least one
  SelectorOptions selector;
  std::shared_ptr<const Bypass> bypass;  ///< targets for which the chain ends before this hop; may be null
};

/// Immutable and shared by all loops but for marks and counters. Nodes live as long as it.
class Hop {
 public:
  explicit Hop(HopOptions options);

  /// True if the bypass of the hop, or those of all its nodes, leave it out for this request.
  bool bypassed(const RouteRequest& request) const;
  /// A node for this request, none of `tried`; null when each was tried that is for its target.
  const Node* choose(const RouteRequest& request, std::span<const Node* const> tried, TimePoint now) const;

  const std::string& name() const { return name_; }
  const std::deque<Node>& nodes() const { return nodes_; }
  bool hashes() const { return selector_.options().strategy == Strategy::hash; }

 private:
  std::string name_;
  std::deque<Node> nodes_;
  Selector selector_;
  std::shared_ptr<const Bypass> bypass_;
};

/// Hops in the order in which they are passed; at least one.
struct Chain {
  explicit Chain(std::string chain_name, std::vector<std::shared_ptr<const Hop>> chain_hops)
      : name(std::move(chain_name)), hops(std::move(chain_hops)) {}
  const std::string name;
  const std::vector<std::shared_ptr<const Hop>> hops;
  const Candidate candidate;  ///< for a group: marked when a hop has no node left that works
};

/// The chains of a handler: one, or several with a selector.
class ChainGroup {
 public:
  /// At least one chain.
  explicit ChainGroup(std::vector<std::shared_ptr<const Chain>> chains, const SelectorOptions& selector = {})
      : chains_(std::move(chains)), selector_(selector) {}

  /// A chain for this request, none of `tried`; null when each was tried.
  const Chain* choose(const RouteRequest& request, std::span<const Chain* const> tried, TimePoint now) const;

 private:
  std::vector<std::shared_ptr<const Chain>> chains_;
  Selector selector_;
};

}  // namespace gost
