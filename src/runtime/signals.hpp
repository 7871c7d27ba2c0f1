// Signals as something to wait for on a loop (signalfd).
#pragma once

#include "runtime/loop.hpp"

#include <csignal>

#include <initializer_list>

namespace gost {

/// Blocks the given signals in the calling thread (do it before other threads start: they inherit it) and delivers
/// them to one waiting coroutine.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  Result<> start(Loop& loop);
  /// The number of the next signal, or an error if the scope is stopped.
  Task<Result<int>> next();

 private:
  sigset_t set_;
  int fd_ = -1;
  IoWatch watch_;
};

}  // namespace gost
