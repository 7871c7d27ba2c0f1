#include "route/hop.hpp"

#include <algorithm>
#include <cassert>

namespace gost {

namespace {

bool contains(const std::shared_ptr<const Bypass>& bypass, const RouteRequest& request) {
  return bypass && request.target && bypass->contains(request.network, request.target->host, request.target->port);
}

template <class T>
bool among(std::span<const T* const> tried, const T& it) {
  return std::ranges::find(tried, &it) != tried.end();
}

}  // namespace

Hop::Hop(HopOptions options)
    : name_(std::move(options.name)), selector_(options.selector), bypass_(std::move(options.bypass)) {
  assert(!options.nodes.empty() && "a hop without nodes would let connections out directly");
  for (NodeOptions& node : options.nodes) nodes_.emplace_back(std::move(node));
}

bool Hop::bypassed(const RouteRequest& request) const {
  return contains(bypass_, request) ||
         std::ranges::all_of(nodes_, [&request](const Node& node) { return contains(node.options.bypass, request); });
}

const Node* Hop::choose(const RouteRequest& request, std::span<const Node* const> tried, TimePoint now) const {
  std::vector<const Candidate*> candidates;
  for (const Node& node : nodes_)
    if (!among(tried, node) && !contains(node.options.bypass, request)) candidates.push_back(&node.candidate);
  const Candidate* chosen = selector_.choose(candidates, request.hash_key, now);
  auto found = std::ranges::find_if(nodes_, [chosen](const Node& it) { return &it.candidate == chosen; });
  return found == nodes_.end() ? nullptr : &*found;
}

const Chain* ChainGroup::choose(const RouteRequest& request, std::span<const Chain* const> tried,
                                TimePoint now) const {
  std::vector<const Candidate*> candidates;
  for (const auto& chain : chains_)
    if (!among(tried, *chain)) candidates.push_back(&chain->candidate);
  const Candidate* chosen = selector_.choose(candidates, request.hash_key, now);
  auto found = std::ranges::find_if(chains_, [chosen](const auto& it) { return &it->candidate == chosen; });
  return found == chains_.end() ? nullptr : found->get();
}

}  // namespace gost
