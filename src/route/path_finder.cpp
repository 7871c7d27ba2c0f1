#include "route/path_finder.hpp"

#include <algorithm>

namespace gost {

std::string PathStep::label() const {
  std::string text = hop->name() + "/" + node->options.name;
  bool has_address = node->options.kind == NodeKind::proxy || node->options.kind == NodeKind::datagrams;
  return has_address ? text + " (" + node->options.address.to_string() + ")" : text;
}

Path PathFinder::path_of(const Chain& chain, std::span<const Node* const> tried, TimePoint now) const {
  Path path{.chain = &chain, .steps = {}};
  for (const auto& hop : chain.hops) {
    if (hop->bypassed(request_)) break;
    const Node* node = hop->choose(request_, tried, now);
    if (node == nullptr) node = hop->choose(request_, {}, now);  // each was tried: any is as good
    if (node == nullptr) {
      path.without_node = hop.get();
      break;
    }
    path.steps.push_back({hop.get(), node});
  }
  return path;
}

Path PathFinder::fresh_path(TimePoint now) {
  if (chains_ == nullptr) return {};
  const Chain* chain = chains_->choose(request_, {}, now);
  if (std::ranges::find(tried_chains_, chain) == tried_chains_.end()) tried_chains_.push_back(chain);
  return path_of(*chain, {}, now);
}

std::optional<Path> PathFinder::after(const Path& path, std::optional<NodeFailure> failed, TimePoint now) {
  if (failed) {
    const Node* node = path.steps[failed->step].node;
    if (failed->again && std::ranges::find(renewed_nodes_, node) == renewed_nodes_.end()) {
      renewed_nodes_.push_back(node);
      return path;
    }
    if (failed->marks) node->candidate.failed(now);
    if (auto other = around(path, *failed, now)) return other;
  }
  if (retries_-- <= 0) return std::nullopt;
  return fresh_path(now);
}

std::optional<Path> PathFinder::around(const Path& path, const NodeFailure& failed, TimePoint now) {
  const PathStep& step = path.steps[failed.step];
  // A node is replaced once in a request: its mark may be over by the time a retry comes to it again.
  if (std::ranges::find(tried_nodes_, step.node) != tried_nodes_.end()) return std::nullopt;
  tried_nodes_.push_back(step.node);
  if (const Node* other = step.hop->choose(request_, tried_nodes_, now)) {
    Path next = path;
    next.steps[failed.step].node = other;
    return next;
  }
  if (failed.marks) path.chain->candidate.failed(now);
  const Chain* chain = chains_->choose(request_, tried_chains_, now);
  if (chain == nullptr) return std::nullopt;
  tried_chains_.push_back(chain);
  return path_of(*chain, tried_nodes_, now);
}

}  // namespace gost
