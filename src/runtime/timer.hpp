// Timers of a loop: a 4-ary heap of intrusive elements; arming and disarming allocate nothing but the heap's slots.
#pragma once

#include "core/duration.hpp"

#include <cassert>
#include <cstddef>
#include <vector>

namespace gost {

/// A moment at which `fire` is called on the loop's thread. Derive from it to carry state. It must be disarmed (or
/// have fired) before it is destroyed.
class Timer {
 public:
  using Fire = void (*)(Timer&);
  explicit Timer(Fire fire) : fire_(fire) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { assert(!armed()); }

  bool armed() const { return index_ != kNone; }
  TimePoint when() const { return when_; }

 private:
  friend class TimerHeap;
  static constexpr std::size_t kNone = ~std::size_t{0};
  TimePoint when_{};
  std::size_t index_ = kNone;
  Fire fire_;
};

class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  /// The earliest moment; the heap must not be empty.
  TimePoint next() const { return heap_.front()->when_; }
  /// Arms `timer`, or moves it if it is armed.
  void arm(Timer& timer, TimePoint when);
  void disarm(Timer& timer);
  /// Fires everything due at `now`; a timer is disarmed before it fires, so it may arm itself again.
  void expire(TimePoint now);

 private:
  void place(Timer* timer, std::size_t index);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<Timer*> heap_;
};

}  // namespace gost
