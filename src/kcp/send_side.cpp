#include "kcp/send_side.hpp"

#include <algorithm>
#include <cstring>

namespace gost::kcp {

namespace {
/// What a peer is believed to take before it has said so.
constexpr std::uint32_t kFirstPeerWindow = 32;
/// Segments that may wait beyond the window, so that there is something to send as soon as it opens.
constexpr std::uint32_t kAhead = 64;
constexpr Millis kLongestTimeout = 60'000;
}  // namespace

SendSide::SendSide(ShardPool& pool, const ArqOptions& options)
    : pool_(pool),
      options_(options),
      rtt_(options),
      congestion_(options.mss),
      first_(options.first_number),
      next_(options.first_number),
      end_(options.first_number),
      peer_window_(kFirstPeerWindow) {}

std::uint32_t SendSide::limit() const {
  const std::uint32_t window = std::min(options_.send_window, peer_window_);
  // Without a window something must wait all the same: it is what the peer is asked about.
  return window + std::min(options_.send_window, kAhead);
}

std::uint32_t SendSide::window() const {
  std::uint32_t window = std::min(options_.send_window, peer_window_);
  return options_.congestion_control ? std::min(window, congestion_.window()) : window;
}

std::size_t SendSide::write(Bytes from) {
  const std::size_t all = from.size();
  if (has_unsent() && !from.empty()) {
    Place& last = places_[end_ - 1];
    const std::size_t more = std::min(from.size(), options_.mss - last.size);
    std::memcpy(last.block.data() + last.size, from.data(), more);
    last.size = static_cast<std::uint16_t>(last.size + more);
    from = from.subspan(more);
  }
  while (!from.empty() && writable()) {
    Place& place = append();
    const std::size_t size = std::min(from.size(), options_.mss);
    std::memcpy(place.block.data(), from.data(), size);
    place.size = static_cast<std::uint16_t>(size);
    from = from.subspan(size);
  }
  bytes_ += all - from.size();
  return all - from.size();
}

SendSide::Place& SendSide::append() {
  places_.reserve(first_, in_use(), std::size_t{in_use()} + 1);
  Place& place = places_[end_++];
  place.block = pool_.borrow();
  place.arrived = false;
  return place;
}

bool SendSide::acknowledge_before(std::uint32_t una) {
  if (distance(una, first_) <= 0 || distance(una, next_) > 0) return false;
  while (first_ != una) {
    if (!places_[first_].arrived) arrived(first_);
    ++first_;
  }
  if (empty()) places_.release_if_large();
  return true;
}

bool SendSide::is_on_way(std::uint32_t number) const {
  return distance(number, first_) >= 0 && distance(number, next_) < 0 && !places_[number].arrived;
}

bool SendSide::acknowledge(std::uint32_t number, Millis echo) {
  if (!is_on_way(number)) return false;
  // What an earlier transmission overtook is not known any more, and the last one may not have arrived.
  if (echo == places_[number].sent) skips_.acknowledged(places_[number].order);
  arrived(number);
  return true;
}

bool SendSide::contradicts(std::uint32_t number, std::uint32_t una) const {
  return is_on_way(number) && distance(places_[number].known_una, una) > 0;
}

bool SendSide::sent_recently(std::uint32_t number) const {
  return distance(number, first_ - options_.send_window) >= 0 && distance(number, next_) < 0;
}

void SendSide::arrived(std::uint32_t number) {
  Place& place = places_[number];
  unlink(number);
  bytes_ -= place.size;
  place.arrived = true;
  place.block = {};
}

void SendSide::link(std::uint32_t number) {
  if (on_way_++ == 0) {
    oldest_ = number;
  } else {
    places_[newest_].newer = number;
    places_[number].older = newest_;
  }
  newest_ = number;
}

void SendSide::unlink(std::uint32_t number) {
  const Place& place = places_[number];
  if (number == oldest_) {
    oldest_ = place.newer;
  } else {
    places_[place.older].newer = place.newer;
  }
  if (number == newest_) {
    newest_ = place.older;
  } else {
    places_[place.newer].older = place.older;
  }
  if (--on_way_ == 0) timeout_bound_.reset();
}

bool SendSide::overtaken(std::size_t times) const {
  return on_way_ > 0 && skips_.overtaken(places_[oldest_].order, times);
}

bool SendSide::has_lost() const {
  return options_.resend > 0 && overtaken(std::min<std::size_t>(options_.resend, SkipCounter::kMost));
}

bool SendSide::has_overtaken() const {
  return overtaken(1);
}

bool SendSide::can_send() const {
  return has_unsent() && next_ - first_ < window();
}

std::optional<Millis> SendSide::earliest_timeout() const {
  return timeout_bound_;
}

bool SendSide::flush(const Flush& flush, SegmentSink& sink) {
  const bool nothing_new = !can_send();
  const std::uint32_t flying = next_ - first_;
  bool skipped = false;
  bool timed_out = false;
  bool all = true;
  if (flush.may_time_out) all = send_timed_out(flush, sink, timed_out);
  if (all && has_lost())
    all = send_overtaken(std::min<std::size_t>(options_.resend, SkipCounter::kMost), flush, sink, skipped);
  if (all && flush.early && nothing_new) all = send_overtaken(1, flush, sink, skipped);
  if (all) all = send_new(flush, sink);
  if (options_.congestion_control) {
    if (skipped) congestion_.skipped(flying, options_.resend);
    if (timed_out) congestion_.timed_out();
  }
  return all;
}

bool SendSide::send_timed_out(const Flush& flush, SegmentSink& sink, bool& any) {
  if (!earliest_timeout() || distance(flush.now, *timeout_bound_) < 0) return true;
  // The bound is renewed by what is still on its way. It lies in the future, so this walk happens once in a
  // millisecond at most, and ordinarily once in a timeout.
  timeout_bound_.reset();
  for (std::uint32_t number = first_; number != next_; ++number) {
    Place& place = places_[number];
    if (place.arrived) continue;
    if (distance(flush.now, place.sent + place.timeout) < 0) {
      note_timeout(place.sent + place.timeout);
      continue;
    }
    if (!transmit(number, Reason::timeout, flush, sink)) {
      timeout_bound_ = flush.now;
      return false;
    }
    any = true;
  }
  return true;
}

bool SendSide::send_overtaken(std::size_t times, const Flush& flush, SegmentSink& sink, bool& any) {
  while (overtaken(times)) {
    if (!transmit(oldest_, Reason::overtaken, flush, sink)) return false;
    any = true;
  }
  return true;
}

bool SendSide::send_new(const Flush& flush, SegmentSink& sink) {
  while (can_send()) {
    if (!transmit(next_, Reason::first, flush, sink)) return false;
    ++next_;
  }
  return true;
}

bool SendSide::transmit(std::uint32_t number, Reason reason, const Flush& flush, SegmentSink& sink) {
  Place& place = places_[number];
  MutableBytes room = sink.room(kSegmentHeader + place.size);
  if (room.empty()) return false;
  encode_header({.conversation = flush.conversation,
                 .command = Command::push,
                 .fragment = 0,
                 .window = flush.window,
                 .timestamp = flush.now,
                 .number = number,
                 .una = flush.expected,
                 .data = {place.block.data(), place.size}},
                room);
  std::memcpy(room.data() + kSegmentHeader, place.block.data(), place.size);
  switch (reason) {
  case Reason::first:
    ++statistics_.sent;
    place.timeout = rtt_.timeout();
    place.known_una = first_;
    break;
  case Reason::overtaken:
    ++statistics_.overtaken;
    place.timeout = rtt_.timeout();
    break;
  case Reason::timeout:
    ++statistics_.timed_out;
    place.timeout += options_.no_delay ? rtt_.timeout() / 2 : rtt_.timeout();
    place.timeout = std::min(place.timeout, kLongestTimeout);
    break;
  }
  if (reason != Reason::first) unlink(number);
  link(number);
  place.order = order_++;
  place.sent = flush.now;
  note_timeout(place.sent + place.timeout);
  return true;
}

void SendSide::note_timeout(Millis due) {
  if (!timeout_bound_ || distance(due, *timeout_bound_) < 0) timeout_bound_ = due;
}

}  // namespace gost::kcp
