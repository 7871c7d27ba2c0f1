// Structured concurrency: a Scope is a node of the tree along which stop and deadlines travel; a Wait is one
// suspended coroutine within a scope.
#pragma once

#include "core/error.hpp"
#include "runtime/list.hpp"

#include <coroutine>

namespace gost {

class Loop;
class Scope;

/// How a wait ended. Anything but `ready` is the reason for which its scope was stopped.
enum class Outcome : std::uint8_t { ready, canceled, timeout };

/// The error that a stopped operation returns ("canceled", "i/o timeout").
Error stop_error(Outcome reason);

struct WaitTag;
struct ScopeTag;

/// A coroutine that is suspended until its place (a descriptor, a timer, …) completes it or its scope is stopped.
/// Lives in the awaiter, that is in the coroutine's own frame.
class Wait : public ListHook<WaitTag> {
 public:
  /// Suspends `coroutine` in `scope`. `place` holds the only other pointer to this wait and is cleared when the wait
  /// ends. Returns false, with the outcome set, if the scope is stopped already: then do not suspend.
  bool begin(Scope& scope, std::coroutine_handle<> coroutine, Wait** place);
  /// The same for a wait that a stop must not interrupt (joining children, which the stop reaches by itself).
  void begin_uninterruptible(Scope& scope, std::coroutine_handle<> coroutine, Wait** place);
  /// Ends the wait: the coroutine runs in the loop's next turn.
  void complete(Outcome outcome = Outcome::ready);

  Outcome outcome() const { return outcome_; }

 private:
  friend class Loop;
  std::coroutine_handle<> coroutine_;
  Scope* scope_ = nullptr;
  Wait** place_ = nullptr;
  Wait* next_ready_ = nullptr;
  Outcome outcome_ = Outcome::ready;
};

/// A node of the tree of work on one loop. Stopping it ends every wait in it and below it, and every later wait there
/// ends at once. Not thread-safe: belongs to its loop's thread.
class Scope : public ListHook<ScopeTag> {
 public:
  explicit Scope(Loop& loop) : loop_(loop) {}
  explicit Scope(Scope& parent);

  Loop& loop() const { return loop_; }
  bool stopped() const { return reason_ != Outcome::ready; }
  Outcome reason() const { return reason_; }
  /// The first reason wins.
  void stop(Outcome reason);

 private:
  friend class Wait;
  Loop& loop_;
  Outcome reason_ = Outcome::ready;
  List<Wait, WaitTag> waits_;
  List<Scope, ScopeTag> children_;
};

}  // namespace gost
