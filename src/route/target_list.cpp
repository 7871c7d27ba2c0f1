#include "route/target_list.hpp"

#include <algorithm>

namespace gost {

std::string hash_key_of(const Requester& from) {
  return from.user.empty() ? from.client.ip().to_string() : from.user;
}

TargetList::TargetList(std::vector<TargetOptions> targets, const SelectorOptions& selector, Clock clock)
    : selector_(selector), clock_(std::move(clock)) {
  for (TargetOptions& target : targets) targets_.emplace_back(std::move(target));
}

const Target* TargetList::choose(const Requester& from, std::span<const Target* const> tried) const {
  std::vector<const Candidate*> candidates;
  for (const Target& target : targets_)
    if (std::ranges::find(tried, &target) == tried.end()) candidates.push_back(&target.candidate);
  std::string key = selector_.options().strategy == Strategy::hash ? hash_key_of(from) : std::string();
  const Candidate* chosen = selector_.choose(candidates, key, clock_());
  auto found = std::ranges::find_if(targets_, [chosen](const Target& it) { return &it.candidate == chosen; });
  return found == targets_.end() ? nullptr : &*found;
}

}  // namespace gost
