// HandshakeGate: at most so many clients of a service that have not identified themselves yet; the oldest goes first.
#pragma once

#include "runtime/list.hpp"
#include "runtime/loop.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace gost {

/// One per service, shared by its loops. What a loop counts stays on that loop; only the total, and the age of each
/// loop's oldest client, are shared.
class HandshakeGate : public std::enable_shared_from_this<HandshakeGate> {
 public:
  struct SlotTag;

  /// A client in its handshake. Enter it once; it leaves by leave() or when it is destroyed.
  class Slot : public ListHook<SlotTag> {
   public:
    ~Slot() { leave(); }
    /// The handshake is over.
    void leave();
    /// The client had to go because there were too many.
    bool dropped() const { return dropped_; }

   private:
    friend class HandshakeGate;
    HandshakeGate* gate_ = nullptr;
    std::size_t seat_ = 0;
    TimePoint since_{};
    Scope* scope_ = nullptr;
    bool dropped_ = false;
  };

  HandshakeGate(std::size_t limit, const std::vector<Loop*>& loops);

  /// Counts a client that lives on the loop number `seat`; `scope` is stopped if it has to go.
  void enter(Slot& slot, std::size_t seat, Scope& scope);

 private:
  struct Seat {
    explicit Seat(Loop& owner) : loop(owner) {}
    Loop& loop;
    List<Slot, SlotTag> slots;
    std::atomic<TimePoint::rep> oldest{TimePoint::max().time_since_epoch().count()};
  };
  void publish_oldest(Seat& seat);
  void drop_oldest(std::size_t here);
  void drop_oldest_of(Seat& seat);

  const std::size_t limit_;
  std::atomic<std::size_t> total_{0};
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace gost
