// PerLoop: a state of its own for every loop inside an object that all loops share.
#pragma once

#include "runtime/loop.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace gost {

/// Without a lock: states are only ever added, each is made and used by the thread of its loop. As many as there are
/// loops, so a walk finds it. No loop may come after another one that has gone: it could have the same address.
template <class State>
class PerLoop {
 public:
  PerLoop() = default;
  PerLoop(const PerLoop&) = delete;
  PerLoop& operator=(const PerLoop&) = delete;
  ~PerLoop() {
    for (Place* place = first_.load(); place != nullptr;) delete std::exchange(place, place->next);
  }

  /// The state of `loop`; null if it has none yet. On the loop's thread.
  State* find(const Loop& loop) const {
    for (Place* place = first_.load(std::memory_order_acquire); place != nullptr; place = place->next)
      if (place->loop == &loop) return &place->state;
    return nullptr;
  }

  /// The state of `loop`, made from `arguments` if it has none yet. On the loop's thread.
  template <class... Arguments>
  State& get(const Loop& loop, Arguments&&... arguments) const {
    if (State* state = find(loop)) return *state;
    auto* place = new Place(&loop, std::forward<Arguments>(arguments)...);
    place->next = first_.load(std::memory_order_relaxed);
    while (!first_.compare_exchange_weak(place->next, place, std::memory_order_release, std::memory_order_relaxed)) {
    }
    return place->state;
  }

 private:
  struct Place {
    template <class... Arguments>
    explicit Place(const Loop* owner, Arguments&&... arguments)
        : loop(owner), state(std::forward<Arguments>(arguments)...) {}
    const Loop* loop;
    State state;
    Place* next = nullptr;
  };

  mutable std::atomic<Place*> first_{nullptr};
};

}  // namespace gost
