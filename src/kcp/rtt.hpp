// RttEstimator: how long an answer takes, and after how long to send a segment again (wire.md §12.6).
#pragma once

#include "kcp/arq_options.hpp"

namespace gost::kcp {

/// RFC 6298 with KCP's bounds. A sample far below what was expected counts an eighth for the variation, so that one
/// fast answer does not make the timeout jump.
class RttEstimator {
 public:
  explicit RttEstimator(const ArqOptions& options);

  void sample(Millis rtt);
  Millis timeout() const { return timeout_; }
  Millis smoothed() const { return static_cast<Millis>(smoothed_); }

 private:
  Millis interval_;
  Millis least_;
  Millis timeout_;
  bool measured_ = false;
  std::int32_t smoothed_ = 0;
  std::int32_t variation_ = 0;
};

}  // namespace gost::kcp
