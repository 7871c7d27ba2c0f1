// Scheduling: what a loop's thread asks of the kernel's scheduler.
#pragma once

#include "core/duration.hpp"

#include <sched.h>

#include <cstdint>

namespace gost {

/// Keeps a loop's thread from running for every little thing while its sockets receive datagrams very often. Such a
/// thread is SCHED_BATCH, so it does not interrupt whoever has the processor, and it lets others run before it
/// sleeps: more has come by the time that it reads. That is larger batches and fewer switches where processors are
/// scarce, and no difference where one is free. At any other time the thread is SCHED_OTHER, as ever, and runs at
/// once. A policy that somebody else has chosen for the thread is left alone.
class Scheduling {
 public:
  /// A socket can be read: one batch of datagrams, however many.
  void datagrams_came() { ++batches_; }
  /// To be called, on the thread, whenever it has looked for events. Never fails: what the system refuses is not
  /// asked again.
  void looked(TimePoint now) {
    if (now - begin_ >= kSpan) judge(now);
  }
  /// The thread has nothing to do and is about to sleep.
  void give_way() const {
    if (batch_) ::sched_yield();
  }

 private:
  static constexpr Duration kSpan = std::chrono::milliseconds(100);

  void judge(TimePoint now);

  TimePoint begin_{};
  std::uint32_t batches_ = 0;  ///< since begin_
  bool batch_ = false;
  bool refused_ = false;
};

}  // namespace gost
