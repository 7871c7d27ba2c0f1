// Backoff: how long to wait before a port is tried again.
#pragma once

#include "core/duration.hpp"

#include <algorithm>
#include <random>

namespace gost::forward {

/// 1, 2, 4, 5, 5 … seconds (config.md §4.2), each a tenth longer or shorter: many clients of one proxy that came back
/// must not all knock at the same moment.
class Backoff {
 public:
  struct Pause {
    Duration nominal;  ///< for the log
    Duration actual;
  };

  Pause next() {
    Duration nominal = next_;
    next_ = std::min<Duration>(2 * next_, std::chrono::seconds(5));
    return {nominal, std::chrono::duration_cast<Duration>(nominal * varied_(random_))};
  }
  /// What was tried has succeeded.
  void reset() { next_ = kFirst; }

 private:
  static constexpr Duration kFirst = std::chrono::seconds(1);

  Duration next_ = kFirst;
  std::minstd_rand random_{std::random_device()()};
  std::uniform_real_distribution<> varied_{0.9, 1.1};
};

}  // namespace gost::forward
