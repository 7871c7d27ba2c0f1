// SkipCounter: which transmissions so many later ones have overtaken.
#pragma once

#include "kcp/sequence.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace gost::kcp {

/// Transmissions are numbered in the order in which they leave. Of those that were acknowledged only the latest few
/// matter: whatever left before the n-th of these has been overtaken n times. So an acknowledgement costs the same
/// however much is on its way.
class SkipCounter {
 public:
  static constexpr std::size_t kMost = 8;

  /// The transmission `order` was acknowledged, for the first time.
  void acknowledged(std::uint32_t order) {
    std::size_t at = count_;
    while (at > 0 && distance(order, latest_[at - 1]) > 0) --at;
    if (at == kMost) return;
    count_ = std::min(count_ + 1, kMost);
    for (std::size_t i = count_ - 1; i > at; --i) latest_[i] = latest_[i - 1];
    latest_[at] = order;
  }
  /// Whether `times` (1 to kMost) later transmissions than `order` were acknowledged.
  bool overtaken(std::uint32_t order, std::size_t times) const {
    return count_ >= times && distance(latest_[times - 1], order) > 0;
  }

 private:
  std::array<std::uint32_t, kMost> latest_{};  ///< in descending order
  std::size_t count_ = 0;
};

}  // namespace gost::kcp
