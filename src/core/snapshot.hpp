// Snapshot: an immutable value that one thread replaces while others read it without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace gost {

/// What std::atomic<std::shared_ptr> is for, but a reader never waits for another one (libstdc++ locks there) and the
/// thread sanitizer can follow it. The previous value is released as soon as no reader is copying its pointer.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value = {}) { slots_[0].value = std::move(value); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// The current value; it stays valid as long as the caller holds it. From any thread.
  std::shared_ptr<const T> load() const {
    for (;;) {
      std::uint32_t index = current_.load();
      Slot& slot = slots_[index];
      slot.readers.fetch_add(1);
      // Only a slot that is still current after it was entered is safe from the writer.
      bool entered = current_.load() == index;
      std::shared_ptr<const T> value = entered ? slot.value : nullptr;
      slot.readers.fetch_sub(1);
      if (entered) return value;
    }
  }

  /// Replaces the value. From any thread; writers take turns.
  void store(std::shared_ptr<const T> value) {
    std::lock_guard lock(writers_);
    std::uint32_t old = current_.load();
    std::uint32_t next = 1 - old;
    wait_for_readers(slots_[next]);
    slots_[next].value = std::move(value);
    current_.store(next);
    wait_for_readers(slots_[old]);
    slots_[old].value.reset();
  }

 private:
  struct Slot {
    std::atomic<std::uint32_t> readers{0};
    std::shared_ptr<const T> value;
  };

  /// A reader stays in a slot for the copy of one pointer.
  static void wait_for_readers(const Slot& slot) {
    while (slot.readers.load() != 0) std::this_thread::yield();
  }

  mutable std::array<Slot, 2> slots_;
  std::atomic<std::uint32_t> current_{0};
  std::mutex writers_;
};

}  // namespace gost
