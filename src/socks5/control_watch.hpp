// ControlWatch: notices the end of a stream that only has to stay open, and ends with it what depends on it.
#pragma once

#include "net/datagram.hpp"
#include "net/stream.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"

#include <memory>

namespace gost::socks5 {

/// Owns the stream, reads and forgets what comes on it, and wakes whoever waits on the dependent path when it ends.
/// The coroutine that does this belongs to the watch and goes with it: a path is closed by destroying it, where
/// nothing can be awaited. Only while the loop's queue still refers to the coroutine has the watch to live on;
/// retire() knows.
class ControlWatch final : private TaskOwner {
 public:
  /// Begins to watch. `dependent` must live until retire().
  ControlWatch(Loop& loop, std::unique_ptr<Stream> control, Datagram& dependent);
  ControlWatch(const ControlWatch&) = delete;
  ControlWatch& operator=(const ControlWatch&) = delete;
  ~ControlWatch();

  /// Closes the stream, at once or when the loop's queue has run.
  static void retire(std::unique_ptr<ControlWatch> watch);

  /// The stream has ended or broken.
  bool ended() const { return ended_; }
  const Loop& loop() const { return loop_; }

 private:
  static void destroy_when_idle(std::unique_ptr<ControlWatch> watch);
  Task<> watch();
  /// Reads what is there; false when nothing will follow.
  bool drain();
  void finished(std::coroutine_handle<>) override {}
  /// The loop's queue does not refer to the coroutine.
  bool idle() const { return ended_ || control_->waiting(Interest::read) != nullptr; }

  Loop& loop_;
  std::unique_ptr<Stream> control_;
  Datagram* dependent_;
  bool ended_ = false;
  Task<> task_;
};

}  // namespace gost::socks5
