// PathFinder: which nodes one request goes through, and which ones next when some of them fail. No I/O.
#pragma once

#include "route/hop.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace gost {

struct PathStep {
  const Hop* hop = nullptr;
  const Node* node = nullptr;
  /// "hop-1/node-0 (127.0.0.1:1081)", for messages.
  std::string label() const;
};

/// A node that did not do its part.
struct NodeFailure {
  std::size_t step = 0;
  /// It did not let us in, whatever the target: it is marked. Else only this request is to try another one.
  bool marks = true;
  /// It was asked on a connection that was kept from earlier requests and had died: the same node deserves a new one.
  bool again = false;
};

/// One node of each hop, in the order in which they are passed. Without a step: directly to the target.
struct Path {
  const Chain* chain = nullptr;
  std::vector<PathStep> steps;
  const Hop* without_node = nullptr;  ///< no node of this hop is for the target: there is no way
};

/// For one request. A connection that was dead already is made anew, once for each node. Every node that fails is
/// replaced by another one of its hop until each was tried once, then by the next chain of the group; what is left
/// after that, and targets that the last proxy cannot reach, is repeated `retries` times. So a request makes at most
/// (nodes + chains + retries) attempts, and only bypasses lead to a shorter path than the chain.
class PathFinder {
 public:
  /// `chains` may be null: every path is direct.
  PathFinder(const ChainGroup* chains, RouteRequest request, int retries)
      : chains_(chains), request_(std::move(request)), retries_(retries) {}

  Path first(TimePoint now) { return fresh_path(now); }
  /// After an attempt on `path` failed at a node, or (nothing) at the target: the next one to try; nothing if the
  /// request has failed for good. Marks the node if that is due.
  std::optional<Path> after(const Path& path, std::optional<NodeFailure> failed, TimePoint now);

 private:
  Path path_of(const Chain& chain, std::span<const Node* const> tried, TimePoint now) const;
  Path fresh_path(TimePoint now);
  std::optional<Path> around(const Path& path, const NodeFailure& failed, TimePoint now);

  const ChainGroup* chains_;
  RouteRequest request_;
  int retries_;
  std::vector<const Node*> renewed_nodes_;
  std::vector<const Node*> tried_nodes_;
  std::vector<const Chain*> tried_chains_;
};

}  // namespace gost
