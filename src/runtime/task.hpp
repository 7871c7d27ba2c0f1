// Task<T>: a lazy coroutine. It starts when it is awaited (or spawned in a TaskGroup), runs under the scope of
// whoever started it, and hands its result to the awaiter.
#pragma once

#include "runtime/scope.hpp"

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

/// For a coroutine that a long-lived one calls now and then: gives it a frame of its own, freed when it ends. Clang
/// would otherwise reserve room for it in the caller's frame, for all of the caller's life.
#define GOST_OWN_FRAME [[gnu::noinline]]

namespace gost {

template <class T = void>
class Task;

/// Told when a spawned task has run to its end; destroys its frame.
class TaskOwner {
 public:
  virtual void finished(std::coroutine_handle<> task) = 0;

 protected:
  ~TaskOwner() = default;
};

class TaskPromise {
 public:
  Scope& scope() const { return *scope_; }
  void start_under(Scope& scope, std::coroutine_handle<> continuation) {
    scope_ = &scope;
    continuation_ = continuation;
  }
  void start_spawned(Scope& scope, TaskOwner& owner) {
    scope_ = &scope;
    owner_ = &owner;
  }

  std::suspend_always initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept { return FinalAwaiter{}; }
  /// Exceptions are not used for errors; one that gets here (out of memory) ends the process.
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }

 private:
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      TaskPromise& promise = done.promise();
      if (promise.owner_ == nullptr) return promise.continuation_;
      promise.owner_->finished(done);
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };

  Scope* scope_ = nullptr;
  std::coroutine_handle<> continuation_;
  TaskOwner* owner_ = nullptr;
};

template <class T>
class TaskResult : public TaskPromise {
 public:
  template <class U = T>
  void return_value(U&& value) {
    result_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*result_); }

 private:
  std::optional<T> result_;
};

template <>
class TaskResult<void> : public TaskPromise {
 public:
  void return_void() {}
  void take() {}
};

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type : TaskResult<T> {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// The coroutine, not started; whoever takes it destroys it.
  Handle release() { return std::exchange(handle_, nullptr); }
  Handle handle() const { return handle_; }

  auto operator co_await() && { return Awaiter{handle_}; }

 private:
  explicit Task(Handle handle) : handle_(handle) {}

  struct Awaiter {
    Handle child;
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept {
      child.promise().start_under(parent.promise().scope(), parent);
      return child;
    }
    T await_resume() { return child.promise().take(); }
  };

  Handle handle_;
};

/// `Scope& scope = co_await this_scope();` does not suspend.
struct this_scope {
  Scope* scope = nullptr;
  bool await_ready() noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    scope = &coroutine.promise().scope();
    return false;
  }
  Scope& await_resume() noexcept { return *scope; }
};

/// Runs `task` under a scope of the caller's: `co_await in_scope(scope, task())`.
template <class T>
class [[nodiscard]] in_scope {
 public:
  in_scope(Scope& scope, Task<T> task) : scope_(scope), task_(std::move(task)) {}
  bool await_ready() noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept {
    task_.handle().promise().start_under(scope_, parent);
    return task_.handle();
  }
  T await_resume() { return task_.handle().promise().take(); }

 private:
  Scope& scope_;
  Task<T> task_;
};

}  // namespace gost
