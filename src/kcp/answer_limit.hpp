// AnswerLimit: answers to strangers, not more than one in a while to each of them.
#pragma once

#include "core/duration.hpp"
#include "kcp/source_table.hpp"

#include <cstddef>
#include <vector>

namespace gost::kcp {

/// Of constant size: sources that fall into the same place, which nobody can choose, share an answer.
class AnswerLimit {
 public:
  static constexpr Duration kPause = std::chrono::milliseconds(100);

  /// Whether `source` gets an answer now. Then it gets the next one after kPause.
  bool admits(const SocketAddress& source, TimePoint now) {
    TimePoint& next = next_[hash_(source) % kPlaces];
    if (now < next) return false;
    next = now + kPause;
    return true;
  }

 private:
  static constexpr std::size_t kPlaces = 1024;
  AddressHash hash_;
  std::vector<TimePoint> next_ = std::vector<TimePoint>(kPlaces);
};

}  // namespace gost::kcp
