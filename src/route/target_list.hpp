// TargetList: the targets of a forwarder with their selector.
#pragma once

#include "component/router.hpp"
#include "core/address.hpp"
#include "route/selector.hpp"

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace gost {

struct TargetOptions {
  std::string name;  ///< "target-0"
  Endpoint address;  ///< an empty host is the local host
  CandidateOptions candidate;
};

struct Target {
  explicit Target(TargetOptions options)
      : name(std::move(options.name)), address(std::move(options.address)), candidate(options.candidate) {}

  const std::string name;
  const Endpoint address;
  const Candidate candidate;
};

/// Immutable and shared by all loops but for the marks and counters, which are atomics. Targets live as long as it.
class TargetList {
 public:
  using Clock = std::function<TimePoint()>;

  /// `clock` tells how old marks are; replaced in tests.
  explicit TargetList(std::vector<TargetOptions> targets, const SelectorOptions& selector = {},
                      Clock clock = &std::chrono::steady_clock::now);

  /// The next target to try for this client, none of `tried`; null when each was tried (or there is none). Targets
  /// that are marked as failed come last.
  const Target* choose(const Requester& from, std::span<const Target* const> tried) const;
  /// To be told after every dial: a failure, of whatever kind, counts (config.md §4.2), a success forgets them.
  void failed(const Target& target) const { target.candidate.failed(clock_()); }
  void succeeded(const Target& target) const { target.candidate.succeeded(); }

  bool empty() const { return targets_.empty(); }
  std::size_t size() const { return targets_.size(); }

 private:
  std::deque<Target> targets_;
  Selector selector_;
  Clock clock_;
};

/// What Strategy::hash goes by for a client: its authenticated name, else its IP.
std::string hash_key_of(const Requester& from);

}  // namespace gost
