// TaskGroup: the owner of coroutines that run side by side. Nothing is detached: the group must be joined before it
// goes out of scope.
#pragma once

#include "runtime/loop.hpp"
#include "runtime/scope.hpp"
#include "runtime/task.hpp"

#include <cassert>
#include <cstddef>

namespace gost {

class TaskGroup final : private TaskOwner {
 public:
  /// A group below `parent`: what stops the parent stops the group.
  explicit TaskGroup(Scope& parent) : scope_(parent) {}
  ~TaskGroup() { assert(running_ == 0 && "a task group must be joined"); }

  /// Starts `task` at once; it runs until it first suspends, then goes on by itself. Its parameters must be values or
  /// outlive the join.
  void spawn(Task<> task) {
    auto handle = task.release();
    handle.promise().start_spawned(scope_, *this);
    ++running_;
    handle.resume();
  }

  /// Asks all tasks to end; join() to wait until they have.
  void stop(Outcome reason = Outcome::canceled) { scope_.stop(reason); }

  Scope& scope() { return scope_; }
  std::size_t running() const { return running_; }

  /// Waits until every task has ended. A stop of the caller's scope reaches the tasks, not this wait.
  auto join() { return JoinAwaiter(*this); }

 private:
  class [[nodiscard]] JoinAwaiter {
   public:
    explicit JoinAwaiter(TaskGroup& group) : group_(group) {}
    bool await_ready() const { return group_.running_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      wait_.begin_uninterruptible(coroutine.promise().scope(), coroutine, &group_.joiner_);
    }
    void await_resume() const {}

   private:
    TaskGroup& group_;
    Wait wait_;
  };

  void finished(std::coroutine_handle<> task) override {
    task.destroy();
    if (--running_ == 0 && joiner_ != nullptr) joiner_->complete();
  }

  Scope scope_;
  std::size_t running_ = 0;
  Wait* joiner_ = nullptr;
};

}  // namespace gost
