#include "policy/dns_cache.hpp"

#include <utility>

namespace gost {

const CachedAnswer* DnsCache::find(const std::string& question) {
  auto found = by_question_.find(question);
  if (found == by_question_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->answer;
}

void DnsCache::store(const std::string& question, CachedAnswer answer) {
  if (auto found = by_question_.find(question); found != by_question_.end()) {
    found->second->answer = std::move(answer);
    entries_.splice(entries_.begin(), entries_, found->second);
    return;
  }
  if (capacity_ == 0) return;
  if (entries_.size() >= capacity_) {
    by_question_.erase(entries_.back().question);
    entries_.pop_back();
  }
  entries_.push_front({question, std::move(answer)});
  by_question_.emplace(entries_.front().question, entries_.begin());
}

}  // namespace gost
