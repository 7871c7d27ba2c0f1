// Running a task on another loop and waiting for its end on this one.
#pragma once

#include "runtime/loop.hpp"

namespace gost {

/// `co_await run_on(other, task())`: the task runs under the root scope of `other`, whose thread must be running; the
/// awaiter goes on on its own loop. A stop of the awaiter's scope does not interrupt it.
class [[nodiscard]] run_on final : private TaskOwner {
 public:
  run_on(Loop& other, Task<> task) : other_(other), task_(std::move(task)) {}
  bool await_ready() const { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) {
    Scope& scope = coroutine.promise().scope();
    home_ = &scope.loop();
    wait_.begin_uninterruptible(scope, coroutine, &place_);
    other_.post([this] {
      task_.handle().promise().start_spawned(other_.root(), *this);
      task_.handle().resume();
    });
  }
  void await_resume() const {}

 private:
  void finished(std::coroutine_handle<>) override {
    // One turn later, when nothing on this thread is inside the task's frame any more.
    other_.post([this] { home_->post([this] { place_->complete(); }); });
  }

  Loop& other_;
  Task<> task_;
  Loop* home_ = nullptr;
  Wait wait_;
  Wait* place_ = nullptr;
};

}  // namespace gost
