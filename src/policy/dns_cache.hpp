// DnsCache: answers of name servers, as many as it is allowed, the least recently used ones go first.
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gost {

struct CachedAnswer {
  std::vector<IpAddress> addresses;  ///< none: it is known that there are none
  TimePoint expires;
};

/// Of one loop. Knows no clock: whether an answer is too old is for the caller to see.
class DnsCache {
 public:
  explicit DnsCache(std::size_t capacity) : capacity_(capacity) {}

  /// The answer to `question`; null if there is none. Valid until the next call.
  const CachedAnswer* find(const std::string& question);
  void store(const std::string& question, CachedAnswer answer);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string question;
    CachedAnswer answer;
  };

  std::size_t capacity_;
  std::list<Entry> entries_;                                                      ///< most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_question_;  ///< keys are the entries' own
};

}  // namespace gost
