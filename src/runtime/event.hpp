// Event: something that one coroutine waits for and others bring about, on one loop.
#pragma once

#include "runtime/scope.hpp"

#include <coroutine>

namespace gost {

/// Stays set until it is cleared: whoever waits for one that is set already goes on at once.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const { return set_; }
  void set() {
    set_ = true;
    if (waiter_ != nullptr) waiter_->complete();
  }
  void clear() { set_ = false; }

  /// `Outcome o = co_await event.until_set();` One waiter at a time.
  auto until_set() { return UntilSet(*this); }

 private:
  class [[nodiscard]] UntilSet {
   public:
    explicit UntilSet(Event& event) : event_(event) {}
    bool await_ready() const { return event_.set_; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      return wait_.begin(coroutine.promise().scope(), coroutine, &event_.waiter_);
    }
    Outcome await_resume() const { return wait_.outcome(); }

   private:
    Event& event_;
    Wait wait_;
  };

  bool set_ = false;
  Wait* waiter_ = nullptr;
};

}  // namespace gost
