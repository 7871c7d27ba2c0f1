#include "kcp/receive_side.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace gost::kcp {

namespace {
/// Acknowledgements that wait at most; without its own a segment comes again.
constexpr std::size_t kMostAcknowledgements = 4096;
}  // namespace

ReceiveSide::ReceiveSide(ShardPool& pool, const ArqOptions& options)
    : pool_(pool),
      window_(options.receive_window),
      first_(options.first_expected),
      expected_(options.first_expected),
      behind_(options.first_expected) {}

std::uint16_t ReceiveSide::window() const {
  const std::uint32_t unread = expected_ - first_;
  return static_cast<std::uint16_t>(
      std::min<std::uint32_t>(window_ - std::min(unread, window_), std::numeric_limits<std::uint16_t>::max()));
}

ReceiveSide::Arrival ReceiveSide::take(std::uint32_t number, Millis timestamp, Bytes data) {
  if (distance(number, expected_ + window_) >= 0 || data.size() > ShardPool::kBlockSize) return Arrival::outside;
  note(number, timestamp);
  if (distance(number, expected_) < 0) return Arrival::duplicate;
  places_.reserve(first_, behind_ - first_, std::size_t{number - first_} + 1);
  Place& place = places_[number];
  if (place.here) return Arrival::duplicate;
  place.here = true;
  place.size = static_cast<std::uint16_t>(data.size());
  if (!data.empty()) {
    place.block = pool_.borrow();
    std::memcpy(place.block.data(), data.data(), data.size());
  }
  if (distance(number, behind_) >= 0) behind_ = number + 1;
  const bool in_order = number == expected_;
  advance();
  return in_order ? Arrival::in_order : Arrival::ahead;
}

void ReceiveSide::note(std::uint32_t number, Millis timestamp) {
  if (acknowledgements_.size() < kMostAcknowledgements) acknowledgements_.push_back({number, timestamp});
}

void ReceiveSide::acknowledged(std::size_t count) {
  if (count == acknowledgements_.size()) {
    acknowledgements_.clear();
    if (acknowledgements_.capacity() > 64) acknowledgements_ = {};
    return;
  }
  acknowledgements_.erase(acknowledgements_.begin(), acknowledgements_.begin() + static_cast<std::ptrdiff_t>(count));
}

/// What has become readable goes over; segments without data count as read.
void ReceiveSide::advance() {
  while (expected_ != behind_ && places_[expected_].here && expected_ - first_ < window_) {
    bytes_ += places_[expected_].size;
    ++expected_;
    if (expected_ - first_ == 1 && places_[first_].size == 0) drop_first();
  }
}

void ReceiveSide::drop_first() {
  Place& place = places_[first_];
  place.block = {};
  place.here = false;
  offset_ = 0;
  ++first_;
}

std::size_t ReceiveSide::read(MutableBytes into, bool& opened) {
  const std::uint16_t before = window();
  std::size_t done = 0;
  while (done < into.size() && first_ != expected_) {
    const Place& place = places_[first_];
    const std::size_t count = std::min(into.size() - done, place.size - offset_);
    if (count > 0) std::memcpy(into.data() + done, place.block.data() + offset_, count);
    done += count;
    offset_ += count;
    bytes_ -= count;
    if (offset_ == place.size) {
      drop_first();
      advance();
    }
  }
  opened = before == 0 && window() > 0;
  if (first_ == behind_) places_.release_if_large();
  return done;
}

void ReceiveSide::discard() {
  while (first_ != expected_) {
    drop_first();
    advance();
  }
  bytes_ = 0;
  if (first_ == behind_) places_.release_if_large();
}

}  // namespace gost::kcp
