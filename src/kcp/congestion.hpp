// Congestion: how much may be on its way when the network is asked to be fair (wire.md §12.6, `nc` 0).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace gost::kcp {

/// Slow start and additive increase as KCP counts them: in segments, once for each packet that acknowledges
/// something.
class Congestion {
 public:
  explicit Congestion(std::size_t mss) : mss_(mss), bytes_(mss) {}

  std::uint32_t window() const { return window_; }

  /// Something new was acknowledged; the peer takes `most` segments.
  void acknowledged(std::uint32_t most) {
    if (window_ >= most) return;
    if (window_ < threshold_) {
      ++window_;
      bytes_ += mss_;
    } else {
      bytes_ = std::max(bytes_, mss_);
      bytes_ += mss_ * mss_ / bytes_ + mss_ / 16;
      if ((std::size_t{window_} + 1) * mss_ <= bytes_)
        window_ = static_cast<std::uint32_t>((bytes_ + mss_ - 1) / mss_);
    }
    if (window_ > most) set_window(most);
  }
  /// Segments were sent again because later ones had arrived.
  void skipped(std::uint32_t in_flight, std::uint32_t resend) {
    threshold_ = std::max(in_flight / 2, kLeast);
    set_window(threshold_ + resend);
  }
  /// Segments were sent again because nothing was heard of them.
  void timed_out() {
    threshold_ = std::max(window_ / 2, kLeast);
    set_window(1);
  }

 private:
  static constexpr std::uint32_t kLeast = 2;
  void set_window(std::uint32_t window) {
    window_ = std::max(window, std::uint32_t{1});
    bytes_ = window_ * mss_;
  }

  std::size_t mss_;
  std::uint32_t window_ = 1;
  std::uint32_t threshold_ = kLeast;
  std::size_t bytes_;
};

}  // namespace gost::kcp
