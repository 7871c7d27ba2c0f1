#include "mux/yamux_machine.hpp"

#include <algorithm>
#include <limits>

namespace gost {

using namespace yamux_flag;

YamuxMachine::YamuxMachine(const YamuxOptions& options, MuxSide side, TimePoint now)
    : FramedMachine(kYamuxHeaderSize),
      options_(options),
      window_(static_cast<std::uint64_t>(options.max_stream_window)),
      ids_(side == MuxSide::client ? 1 : 2),
      budget_(options.max_receive_buffer),
      pinged_at_(now),
      next_look_(now + options.keepalive_interval) {}

std::size_t YamuxMachine::take_head(Bytes head) {
  auto decoded = decode_yamux_header(head);
  if (auto* more = std::get_if<NeedMore>(&decoded)) return more->bytes;
  if (auto* error = std::get_if<Error>(&decoded)) {
    error_ = std::move(*error);
    return 0;
  }
  frame_ = std::get<YamuxHeader>(decoded);
  heard_ = true;
  switch (frame_.type) {
  case YamuxType::data:
  case YamuxType::window_update: take_frame(); break;
  case YamuxType::ping:
    if ((frame_.flags & kSyn) != 0) pongs_.push_back(frame_.length);
    break;
  case YamuxType::go_away: take_go_away(); break;
  }
  return 0;
}

void YamuxMachine::take_frame() {
  payload_of_ = nullptr;
  if ((frame_.flags & kSyn) != 0 && !take_syn()) return;
  if (frame_.type == YamuxType::data) payload_left_ = frame_.length;
  if (YamuxStream* stream = find(frame_.stream); stream != nullptr) return take_frame_of(*stream);
  if (auto late = half_closed_.find(frame_.stream); late != half_closed_.end()) take_late_frame(late->second);
}

bool YamuxMachine::take_syn() {
  std::uint32_t id = frame_.stream;
  if (table_.contains(id) || half_closed_.contains(id)) {
    break_off("opened stream " + std::to_string(id) + " twice");
    return false;
  }
  if (accepted_.size() >= kBacklog) {
    farewell(id, kRst);
    return true;
  }
  auto stream = std::make_unique<YamuxStream>(*this, id);
  table_.emplace(id, stream.get());
  streams_.push_back(*stream);
  ++count_;
  stream->wants_ack_ = true;
  queue_control(*stream);
  accepted_.push_back(std::move(stream));
  return true;
}

void YamuxMachine::take_frame_of(YamuxStream& stream) {
  settle(stream.awaits_ack_);
  if (frame_.type == YamuxType::window_update) {
    take_update(stream);
  } else if (stream.received_ + frame_.length > stream.granted_) {
    return break_off("sent more on stream " + std::to_string(stream.id()) + " than its window takes");
  } else if (!stream.remote_finished_) {
    stream.received_ += frame_.length;
    payload_of_ = &stream;
  }
  if (payload_left_ == 0) take_end();
}

void YamuxMachine::take_update(YamuxStream& stream) {
  if (frame_.length > std::numeric_limits<std::uint32_t>::max() - stream.send_window_)
    return break_off("gave stream " + std::to_string(stream.id()) + " a window of more than 4 GiB");
  stream.send_window_ += frame_.length;
  if (frame_.length > 0 && stream.observer_ != nullptr && stream.sendable() > 0) stream.observer_->writable();
}

void YamuxMachine::take_payload(Bytes bytes) {
  if (payload_of_ != nullptr) {
    payload_of_->queue_.push(bytes);
    budget_ -= static_cast<std::int64_t>(bytes.size());
    if (payload_of_->observer_ != nullptr) payload_of_->observer_->readable();
  }
  if (payload_left_ == 0) take_end();
}

void YamuxMachine::take_end() {
  if (error_ || (frame_.flags & (kFin | kRst)) == 0) return;
  YamuxStream* stream = find(frame_.stream);
  if (stream == nullptr) {
    if (auto late = half_closed_.find(frame_.stream); late != half_closed_.end()) {
      settle(late->second.awaits_ack);
      half_closed_.erase(late);
    }
  } else if ((frame_.flags & kRst) != 0) {
    take_reset(*stream);
  } else {
    stream->remote_finished_ = true;
    if (stream->observer_ != nullptr) stream->observer_->readable();
  }
}

void YamuxMachine::take_reset(YamuxStream& stream) {
  table_.erase(stream.id());
  stream.ListHook<YamuxControlTag>::unlink();
  stream.reset_ = true;
  if ((frame_.flags & kFin) != 0) stream.remote_finished_ = true;
  if (stream.observer_ == nullptr) return;
  stream.observer_->readable();
  stream.observer_->writable();
}

void YamuxMachine::take_late_frame(HalfClosed& stream) {
  settle(stream.awaits_ack);
  if (payload_left_ > stream.window)
    return break_off("sent more on stream " + std::to_string(stream.id) + " than its window takes");
  stream.window -= payload_left_;
  if ((frame_.flags & (kFin | kRst)) != 0) {
    half_closed_.erase(stream.id);
  } else if (payload_left_ > 0 && stream.window == 0) {
    reset(stream);  // it would wait for ever
  }
}

void YamuxMachine::take_go_away() {
  switch (static_cast<YamuxGoAway>(frame_.length)) {
  case YamuxGoAway::normal: peer_goes_away_ = true; return;
  case YamuxGoAway::protocol_error:
    error_ = Error{Cause::protocol, "yamux: the peer ended the session: it saw an error in the protocol"};
    return;
  case YamuxGoAway::internal_error:
    error_ = Error{Cause::protocol, "yamux: the peer ended the session: it has an internal error"};
    return;
  }
  error_ = Error{Cause::protocol, "yamux: the peer ended the session with code " + std::to_string(frame_.length)};
}

void YamuxMachine::break_off(std::string_view what) {
  error_ = Error{Cause::protocol, "yamux: the peer " + std::string(what)};
  go_away_ = YamuxGoAway::protocol_error;
}

YamuxStream* YamuxMachine::find(std::uint32_t id) const {
  auto found = table_.find(id);
  // A peer that speaks of a stream that it cannot know means another one.
  return found == table_.end() || found->second->unannounced_ ? nullptr : found->second;
}

Result<std::unique_ptr<MuxMachineStream>> YamuxMachine::open() {
  if (peer_goes_away_) return fail(Cause::exhausted, "yamux: the peer takes no more streams");
  for (;;) {
    if (ids_.exhausted()) return fail(Cause::exhausted, "yamux: the session has no more stream ids");
    std::uint32_t id = ids_.next();
    if (table_.contains(id) || half_closed_.contains(id)) continue;  // a peer may open streams of either parity
    auto stream = std::make_unique<YamuxStream>(*this, id);
    table_.emplace(id, stream.get());
    streams_.push_back(*stream);
    ++count_;
    stream->unannounced_ = true;
    if (unaccepted_ < kBacklog) {
      announce(*stream);
    } else {
      stream->held_ = true;
      held_.push_back(*stream);
    }
    return stream;
  }
}

void YamuxMachine::announce(YamuxStream& stream) {
  stream.held_ = false;
  stream.awaits_ack_ = true;
  ++unaccepted_;
  queue_control(stream);
}

void YamuxMachine::settle(bool& awaits_ack) {
  if (!awaits_ack) return;
  awaits_ack = false;
  --unaccepted_;
  if (held_.empty()) return;
  YamuxStream& next = held_.front();
  next.ListHook<YamuxControlTag>::unlink();
  announce(next);
  if (next.observer_ != nullptr) next.observer_->writable();
}

std::size_t YamuxMachine::take_control(MutableBytes into) {
  std::size_t size = 0;
  auto fits = [&] { return into.size() - size >= kYamuxHeaderSize; };
  auto put = [&](const YamuxHeader& header) {
    std::ranges::copy(encode_yamux_header(header), into.begin() + static_cast<std::ptrdiff_t>(size));
    size += kYamuxHeaderSize;
  };
  if (go_away_ && fits()) put({YamuxType::go_away, 0, 0, static_cast<std::uint32_t>(*std::exchange(go_away_, {}))});
  if (ping_ && fits()) put({YamuxType::ping, kSyn, 0, *std::exchange(ping_, {})});
  std::size_t answered = 0;
  while (answered < pongs_.size() && fits()) put({YamuxType::ping, kAck, 0, pongs_[answered++]});
  pongs_.erase(pongs_.begin(), pongs_.begin() + static_cast<std::ptrdiff_t>(answered));
  while (!control_.empty() && fits()) {
    YamuxStream& stream = control_.front();
    stream.ListHook<YamuxControlTag>::unlink();
    put(next_frame_of(stream));
  }
  std::size_t taken = 0;
  // Behind every SYN, one of which may be the stream's own.
  while (control_.empty() && taken < farewells_.size() && fits()) {
    put({YamuxType::window_update, farewells_[taken].flags, farewells_[taken].id, 0});
    ++taken;
  }
  farewells_.erase(farewells_.begin(), farewells_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (pongs_.empty()) pongs_ = {};
  if (farewells_.empty()) farewells_ = {};
  return size;
}

YamuxHeader YamuxMachine::next_frame_of(YamuxStream& stream) const {
  std::uint16_t flags = 0;
  std::uint64_t delta = 0;
  bool greets = stream.unannounced_ || stream.wants_ack_;
  if (std::exchange(stream.unannounced_, false)) flags |= kSyn;
  if (std::exchange(stream.wants_ack_, false)) flags |= kAck;
  if (std::exchange(stream.wants_fin_, false)) flags |= kFin;
  if (std::exchange(stream.wants_update_, false) || greets) {
    delta = ungranted(stream);
    stream.granted_ += delta;
  }
  return {YamuxType::window_update, flags, stream.id(), static_cast<std::uint32_t>(delta)};
}

Result<> YamuxMachine::expire(TimePoint now) {
  if (options_.keepalive_disabled) return {};
  if (!heard_ && now >= pinged_at_ + kPingTimeout) {
    // Who does not read because too much is unread cannot tell whether the peer is silent.
    if (budget_ > 0)
      return fail(Cause::timeout,
                  "yamux: nothing came from the peer for " + to_string(kPingTimeout) + " after a ping");
    heard_ = true;
  }
  if (heard_ && now >= pinged_at_ + options_.keepalive_interval) {
    ping_ = pings_++;
    pinged_at_ = now;
    heard_ = false;
  }
  next_look_ = pinged_at_ + options_.keepalive_interval;
  if (!heard_ && (next_look_ <= now || options_.keepalive_interval > kPingTimeout))
    next_look_ = pinged_at_ + kPingTimeout;
  return {};
}

void YamuxMachine::end() {
  streams_.for_each([](YamuxStream& stream) {
    stream.ListHook<YamuxTableTag>::unlink();
    stream.ListHook<YamuxControlTag>::unlink();
    stream.machine_ = nullptr;
    if (stream.observer_ != nullptr) stream.observer_->ended();
  });
  count_ = 0;
  table_.clear();
  half_closed_.clear();
  accepted_.clear();
  pongs_ = {};
  farewells_ = {};
  ping_.reset();
  go_away_.reset();
  payload_of_ = nullptr;
}

void YamuxMachine::consumed(YamuxStream& stream, std::size_t bytes) {
  budget_ += static_cast<std::int64_t>(bytes);
  stream.consumed_ += bytes;
  if (stream.reset_ || stream.remote_finished_ || ungranted(stream) < window_ / 2) return;
  stream.wants_update_ = true;
  queue_control(stream);
}

void YamuxMachine::finish(YamuxStream& stream) {
  stream.finished_ = true;
  stream.wants_fin_ = true;
  queue_control(stream);
}

void YamuxMachine::forget(YamuxStream& stream, bool broken) {
  stream.ListHook<YamuxTableTag>::unlink();
  stream.ListHook<YamuxControlTag>::unlink();
  --count_;
  if (payload_of_ == &stream) payload_of_ = nullptr;
  budget_ += static_cast<std::int64_t>(stream.queue_.size());
  if (stream.reset_) return;
  table_.erase(stream.id());
  bool refused = stream.wants_ack_ && stream.consumed_ == 0;
  bool fin_sent = stream.finished_ && !stream.wants_fin_;
  if (stream.unannounced_ || (fin_sent && stream.remote_finished_)) return settle(stream.awaits_ack_);
  if (broken || refused) {
    farewell(stream.id(), kRst);
    return settle(stream.awaits_ack_);
  }
  if (!fin_sent) farewell(stream.id(), stream.wants_ack_ ? kAck | kFin : kFin);
  stream.remote_finished_ ? settle(stream.awaits_ack_) : linger(stream);
}

void YamuxMachine::linger(const YamuxStream& stream) {
  if (half_closed_.size() >= kMaxHalfClosed) reset(half_closed_by_age_.front());
  HalfClosed& kept = half_closed_[stream.id()];
  kept.id = stream.id();
  kept.window = stream.granted_ - stream.received_;
  kept.awaits_ack = stream.awaits_ack_;
  half_closed_by_age_.push_back(kept);
}

void YamuxMachine::reset(HalfClosed& stream) {
  farewell(stream.id, kRst);
  settle(stream.awaits_ack);
  half_closed_.erase(stream.id);
}

void YamuxMachine::queue_control(YamuxStream& stream) {
  if (!stream.ListHook<YamuxControlTag>::linked()) control_.push_back(stream);
}

}  // namespace gost
