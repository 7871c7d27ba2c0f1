#include "kcp/rtt.hpp"

#include <algorithm>

namespace gost::kcp {

namespace {
constexpr Millis kFirstTimeout = 200;
constexpr Millis kLeastNoDelay = 30;
constexpr Millis kLeast = 100;
constexpr Millis kMost = 60'000;
}  // namespace

RttEstimator::RttEstimator(const ArqOptions& options)
    : interval_(options.interval), least_(options.no_delay ? kLeastNoDelay : kLeast), timeout_(kFirstTimeout) {}

void RttEstimator::sample(Millis rtt) {
  // A timestamp is the peer's word.
  if (rtt > kMost) return;
  const auto value = static_cast<std::int32_t>(rtt);
  if (!measured_) {
    measured_ = true;
    smoothed_ = value;
    variation_ = value / 2;
  } else {
    const std::int32_t difference = value - smoothed_;
    smoothed_ += difference >> 3;
    const std::int32_t off = std::abs(difference) - variation_;
    variation_ += value < smoothed_ - variation_ ? off >> 5 : off >> 2;
  }
  const Millis wanted = static_cast<Millis>(smoothed_) + std::max(interval_, static_cast<Millis>(variation_) * 4);
  timeout_ = std::clamp(wanted, least_, kMost);
}

}  // namespace gost::kcp
