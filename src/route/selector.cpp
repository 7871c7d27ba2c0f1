#include "route/selector.hpp"

#include <zlib.h>

#include <algorithm>
#include <random>
#include <vector>

namespace gost {

namespace {

std::uint32_t crc32_of(std::string_view text) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

/// Spreads consecutive numbers over all 64 bits (the finalizer of splitmix64).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::uint64_t weight_of(const Candidate& candidate) {
  return static_cast<std::uint64_t>(std::max(candidate.options().weight, 1));
}

using Candidates = std::vector<const Candidate*>;

/// Those that work: the others if there are any, else the backups.
Candidates working(std::span<const Candidate* const> candidates, const SelectorOptions& options, TimePoint now) {
  Candidates regular;
  Candidates backups;
  for (const Candidate* candidate : candidates)
    if (!candidate->down(options, now)) (candidate->options().backup ? backups : regular).push_back(candidate);
  return regular.empty() ? backups : regular;
}

}  // namespace

std::optional<Strategy> parse_strategy(std::string_view name) {
  if (name.empty() || name == "round" || name == "rr") return Strategy::round;
  if (name == "random" || name == "rand") return Strategy::random;
  if (name == "fifo" || name == "ha") return Strategy::fifo;
  if (name == "hash") return Strategy::hash;
  return std::nullopt;
}

bool Candidate::down(const SelectorOptions& selector, TimePoint now) const {
  int limit = options_.max_fails > 0 ? options_.max_fails : std::max(selector.max_fails, 1);
  if (failures() < limit) return false;
  Duration timeout = options_.fail_timeout > Duration::zero() ? options_.fail_timeout : selector.fail_timeout;
  return now - TimePoint(Duration(last_failure_.load(std::memory_order_relaxed))) < timeout;
}

Selector::Selector(const SelectorOptions& options, std::uint64_t seed)
    : options_(options), seed_(seed != 0 ? seed : fresh_seed()) {}

const Candidate* Selector::choose(std::span<const Candidate* const> candidates, std::string_view hash_key,
                                  TimePoint now) const {
  if (candidates.empty()) return nullptr;
  Candidates left = working(candidates, options_, now);
  if (left.empty()) return candidates.front();
  if (left.size() == 1) return left.front();
  switch (options_.strategy) {
  case Strategy::round: return left[counter_.fetch_add(1, std::memory_order_relaxed) % left.size()];
  case Strategy::random: return by_weight(left);
  case Strategy::fifo: return left.front();
  case Strategy::hash: break;
  }
  return left[(hash_key.empty() ? chance() : crc32_of(hash_key)) % left.size()];
}

std::uint64_t Selector::chance() const {
  return mix(seed_ + counter_.fetch_add(1, std::memory_order_relaxed));
}

const Candidate* Selector::by_weight(std::span<const Candidate* const> candidates) const {
  std::uint64_t sum = 0;
  for (const Candidate* candidate : candidates) sum += weight_of(*candidate);
  std::uint64_t drawn = chance() % sum;
  for (const Candidate* candidate : candidates) {
    if (drawn < weight_of(*candidate)) return candidate;
    drawn -= weight_of(*candidate);
  }
  return candidates.back();
}

}  // namespace gost
