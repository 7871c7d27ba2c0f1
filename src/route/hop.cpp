#include "route/hop.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cassert>

namespace gost {

namespace {

bool contains(const std::shared_ptr<const Bypass>& bypass, const RouteRequest& request) {
  return bypass && request.target && bypass->contains(request.network, request.target->host, request.target->port);
}

/// Filters know hosts: datagrams to anywhere have none.
bool is_for(const NodeOptions& node, const RouteRequest& request) {
  const std::string_view wanted = node.only_for;
  if (wanted.empty()) return true;
  if (!request.target) return false;
  const std::string_view host = request.target->host;
  if (wanted.front() != '.') return iequals(host, wanted);
  return iequals(host, wanted.substr(1)) ||
         (host.size() > wanted.size() && iequals(host.substr(host.size() - wanted.size()), wanted));
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
    if (!among(tried, node) && is_for(node.options, request) && !contains(node.options.bypass, request))
      candidates.push_back(&node.candidate);
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
