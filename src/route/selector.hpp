// Selector: which of several nodes or targets serves the next request; marks: which of them are out of order.
#pragma once

#include "core/duration.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gost {

/// GOST's strategies (config.md §3.3, §4.2).
enum class Strategy : std::uint8_t {
  round,   ///< one after the other
  random,  ///< by chance, in proportion to the weights
  fifo,    ///< the first one that works
  hash,    ///< the same one for the same client (or target)
};

/// "round" or "rr", "random" or "rand", "fifo" or "ha", "hash"; an empty name is round. Nothing for other names.
std::optional<Strategy> parse_strategy(std::string_view name);

struct SelectorOptions {
  Strategy strategy = Strategy::round;
  int max_fails = 1;                                 ///< so many failures in a row take a candidate out …
  Duration fail_timeout = std::chrono::seconds(10);  ///< … until so long after the last of them
};

/// What a candidate says about itself.
struct CandidateOptions {
  int weight = 1;           ///< for `random`
  bool backup = false;      ///< only while no other one works
  int max_fails = 0;        ///< 0: the selector's
  Duration fail_timeout{};  ///< 0: the selector's
};

/// One of those to choose from, with its mark. Shared by all loops; what it remembers are atomics.
class Candidate {
 public:
  explicit Candidate(const CandidateOptions& options = {}) : options_(options) {}

  void failed(TimePoint now) const {
    last_failure_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    failures_.fetch_add(1, std::memory_order_relaxed);
  }
  void succeeded() const {
    // The usual case does not write: the line stays shared by the processors.
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  }
  /// Failures since the last success.
  int failures() const { return failures_.load(std::memory_order_relaxed); }
  /// Out of order for now, by its own limits or else by the selector's.
  bool down(const SelectorOptions& selector, TimePoint now) const;

  const CandidateOptions& options() const { return options_; }

 private:
  CandidateOptions options_;
  mutable std::atomic<int> failures_{0};
  mutable std::atomic<TimePoint::rep> last_failure_{0};
};

/// Shared by all loops. Candidates that are down are left out; backups count only when nothing else is left; if all
/// are down, the first of them is used all the same (GOST 3.3).
class Selector {
 public:
  /// `seed` fixes what chance does, for tests; 0: a new one each time.
  explicit Selector(const SelectorOptions& options = {}, std::uint64_t seed = 0);

  /// One of `candidates`; null only if there is none. `hash_key`: what Strategy::hash goes by; empty: by chance.
  const Candidate* choose(std::span<const Candidate* const> candidates, std::string_view hash_key,
                          TimePoint now) const;

  const SelectorOptions& options() const { return options_; }

 private:
  std::uint64_t chance() const;
  const Candidate* by_weight(std::span<const Candidate* const> candidates) const;

  SelectorOptions options_;
  std::uint64_t seed_;
  mutable std::atomic<std::uint64_t> counter_{0};
};

}  // namespace gost
