#include "component/handshake_gate.hpp"

#include <algorithm>

namespace gost {

HandshakeGate::HandshakeGate(std::size_t limit, const std::vector<Loop*>& loops) : limit_(limit) {
  for (Loop* loop : loops) seats_.push_back(std::make_unique<Seat>(*loop));
}

void HandshakeGate::enter(Slot& slot, std::size_t seat_number, Scope& scope) {
  Seat& seat = *seats_[seat_number];
  slot.gate_ = this;
  slot.seat_ = seat_number;
  slot.since_ = seat.loop.now();
  slot.scope_ = &scope;
  bool first = seat.slots.empty();
  seat.slots.push_back(slot);
  if (first) publish_oldest(seat);
  if (total_.fetch_add(1, std::memory_order_relaxed) + 1 > limit_) drop_oldest(seat_number);
}

void HandshakeGate::Slot::leave() {
  if (gate_ == nullptr) return;
  HandshakeGate& gate = *std::exchange(gate_, nullptr);
  Seat& seat = *gate.seats_[seat_];
  bool first = &seat.slots.front() == this;
  unlink();
  if (first) gate.publish_oldest(seat);
  gate.total_.fetch_sub(1, std::memory_order_relaxed);
}

void HandshakeGate::publish_oldest(Seat& seat) {
  TimePoint oldest = seat.slots.empty() ? TimePoint::max() : seat.slots.front().since_;
  seat.oldest.store(oldest.time_since_epoch().count(), std::memory_order_relaxed);
}

void HandshakeGate::drop_oldest(std::size_t here) {
  auto older = [](const auto& a, const auto& b) {
    return a->oldest.load(std::memory_order_relaxed) < b->oldest.load(std::memory_order_relaxed);
  };
  Seat& seat = **std::ranges::min_element(seats_, older);
  if (&seat == seats_[here].get()) {
    drop_oldest_of(seat);
  } else {
    seat.loop.post([self = shared_from_this(), &seat] {
      if (self->total_.load(std::memory_order_relaxed) > self->limit_) self->drop_oldest_of(seat);
    });
  }
}

void HandshakeGate::drop_oldest_of(Seat& seat) {
  if (seat.slots.empty()) return;
  Slot& oldest = seat.slots.front();
  oldest.dropped_ = true;
  oldest.leave();
  oldest.scope_->stop(Outcome::canceled);
}

}  // namespace gost
