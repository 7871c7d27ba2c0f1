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

/// One node of each hop, in the order in which they are passed. Without a step: directly to the target.
struct Path {
  const Chain* chain = nullptr;
  std::vector<PathStep> steps;
};

/// For one request. Every node that fails is replaced by another one of its hop until each was tried once, then by
/// the next chain of the group; what is left after that, and targets that the last proxy cannot reach, is repeated
/// `retries` times. So a request makes at most (nodes + chains + retries) attempts, and only bypasses lead to a
/// shorter path than the chain.
class PathFinder {
 public:
  /// `chains` may be null: every path is direct.
  PathFinder(const ChainGroup* chains, RouteRequest request, int retries)
      : chains_(chains), request_(std::move(request)), retries_(retries) {}

  Path first(TimePoint now) { return fresh_path(now); }
  /// After an attempt on `path` failed at the step number `failed`, or (nothing) at the target: the next one to try;
  /// nothing if the request has failed for good. Marks the node that failed.
  std::optional<Path> after(const Path& path, std::optional<std::size_t> failed, TimePoint now);

 private:
  Path path_of(const Chain& chain, std::span<const Node* const> tried, TimePoint now) const;
  Path fresh_path(TimePoint now);
  std::optional<Path> around(const Path& path, std::size_t failed, TimePoint now);

  const ChainGroup* chains_;
  RouteRequest request_;
  int retries_;
  std::vector<const Node*> tried_nodes_;
  std::vector<const Chain*> tried_chains_;
};

}  // namespace gost
