// Turn: fairness between the coroutines of a loop.
#pragma once

#include <cstddef>

namespace gost {

/// A coroutine that never has to wait lets the others go first after 256 KiB or 16 operations.
class Turn {
 public:
  /// Counts one operation; true if it is time to yield.
  bool used_up(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ < kBytes && ++operations_ < kOperations) return false;
    *this = {};
    return true;
  }

 private:
  static constexpr std::size_t kBytes = std::size_t{256} * 1024;
  static constexpr int kOperations = 16;
  std::size_t bytes_ = 0;
  int operations_ = 0;
};

}  // namespace gost
