#include "mux/smux_machine.hpp"

#include <algorithm>
#include <utility>

namespace gost {

namespace {

/// A window doubles when it is read in less than this by a reader that had to wait for bytes: it may be what limits
/// a fast stream over a long way.
constexpr Duration kFastRead = std::chrono::seconds(1);

}  // namespace

SmuxMachine::SmuxMachine(const SmuxOptions& options, MuxSide side, TimePoint now)
    : FramedMachine(kSmuxHeaderSize),
      options_(options),
      ids_(side == MuxSide::client ? 3 : 2),
      budget_(options.max_receive_buffer),
      next_nop_(now + options.keepalive_interval),
      next_check_(now + options.keepalive_timeout) {}

std::size_t SmuxMachine::take_head(Bytes head) {
  auto decoded = decode_smux_header(head, version());
  if (auto* more = std::get_if<NeedMore>(&decoded)) return more->bytes;
  if (auto* error = std::get_if<Error>(&decoded)) {
    error_ = std::move(*error);
    return 0;
  }
  const auto& header = std::get<SmuxHeader>(decoded);
  heard_ = true;
  std::size_t size = kSmuxHeaderSize + (header.command == SmuxCommand::upd ? kSmuxUpdateSize : 0);
  if (head.size() < size) return size - head.size();
  take_frame(header, head.subspan(kSmuxHeaderSize));
  return 0;
}

void SmuxMachine::take_frame(const SmuxHeader& header, Bytes update) {
  SmuxStream* stream = find(header.stream);
  switch (header.command) {
  case SmuxCommand::syn:
    if (stream == nullptr) take_syn(header.stream);
    break;
  case SmuxCommand::fin:
    if (stream != nullptr) take_fin(*stream);
    break;
  case SmuxCommand::psh: take_psh(stream, header.length); break;
  case SmuxCommand::nop: take_nop(header.stream); break;
  case SmuxCommand::upd:
    if (stream != nullptr) take_update(*stream, std::get<SmuxUpdate>(decode_smux_update(update)));
    break;
  }
}

void SmuxMachine::take_syn(std::uint32_t id) {
  sign();
  if (accepted_.size() >= kBacklog) return queue_fin(id);
  auto stream = std::make_unique<SmuxStream>(*this, id);
  table_.emplace(id, stream.get());
  streams_.push_back(*stream);
  accepted_.push_back(std::move(stream));
}

void SmuxMachine::take_nop(std::uint32_t id) {
  if (!options_.half_close || id == 0) return;
  if (id == kSmuxHalfCloses) {
    peer_half_closes_ = true;
    return sign();
  }
  SmuxStream* stream = find(id);
  if (!peer_half_closes_ || stream == nullptr) return;
  stream->remote_finished_ = true;
  if (stream->observer_ != nullptr) stream->observer_->readable();
}

void SmuxMachine::take_fin(SmuxStream& stream) {
  stream.remote_finished_ = true;
  stream.remote_closed_ = true;
  if (stream.observer_ == nullptr) return;
  stream.observer_->readable();
  stream.observer_->writable();
}

void SmuxMachine::take_psh(SmuxStream* stream, std::size_t length) {
  payload_left_ = length;
  payload_of_ = stream;
  if (stream == nullptr) return;
  if (stream->end_seen_) {
    payload_of_ = nullptr;  // nobody would read it
  } else if (version() == 2 && stream->received_ + length > stream->granted_) {
    error_ = Error{Cause::protocol,
                   "smux: the peer sent more on stream " + std::to_string(stream->id()) + " than its window takes"};
  }
}

void SmuxMachine::take_payload(Bytes bytes) {
  if (payload_of_ == nullptr) return;
  payload_of_->queue_.push(bytes);
  payload_of_->received_ += bytes.size();
  budget_ -= static_cast<std::int64_t>(bytes.size());
  if (payload_of_->observer_ != nullptr) payload_of_->observer_->readable();
}

void SmuxMachine::take_update(SmuxStream& stream, const SmuxUpdate& update) {
  stream.peer_consumed_ = update.consumed;
  stream.peer_window_ = update.window;
  if (stream.observer_ != nullptr && (stream.sendable() > 0 || stream.send_error() != 0))
    stream.observer_->writable();
}

SmuxStream* SmuxMachine::find(std::uint32_t id) {
  auto found = table_.find(id);
  return found == table_.end() ? nullptr : found->second;
}

Result<std::unique_ptr<MuxMachineStream>> SmuxMachine::open() {
  for (;;) {
    if (ids_.exhausted()) return fail(Cause::exhausted, "smux: the session has no more stream ids");
    std::uint32_t id = ids_.next();
    if (find(id) != nullptr) continue;  // a peer may open streams of either parity
    auto stream = std::make_unique<SmuxStream>(*this, id);
    table_.emplace(id, stream.get());
    streams_.push_back(*stream);
    stream->unannounced_ = true;
    queue_control(*stream);
    return stream;
  }
}

std::size_t SmuxMachine::take_control(MutableBytes into) {
  std::size_t size = 0;
  auto put = [&](Bytes frame) {
    std::ranges::copy(frame, into.begin() + static_cast<std::ptrdiff_t>(size));
    size += frame.size();
  };
  auto fits = [&](std::size_t bytes) { return into.size() - size >= bytes; };
  if (nop_ && fits(kSmuxHeaderSize)) {
    put(encode_smux_header({version(), SmuxCommand::nop, 0, 0}));
    nop_ = false;
  }
  if (sign_ && fits(kSmuxHeaderSize)) {
    put(encode_smux_header({version(), SmuxCommand::nop, 0, kSmuxHalfCloses}));
    sign_ = false;
  }
  while (!control_.empty() && fits(kSmuxHeaderSize + kSmuxUpdateSize)) {
    SmuxStream& stream = control_.front();
    stream.ListHook<SmuxControlTag>::unlink();
    if (std::exchange(stream.unannounced_, false))
      put(encode_smux_header({version(), SmuxCommand::syn, 0, stream.id()}));
    if (std::exchange(stream.wants_update_, false)) {
      stream.reported_ = stream.consumed_;
      stream.granted_ = std::max(stream.granted_, stream.consumed_ + stream.window_);
      put(encode_smux_update(version(), stream.id(), {static_cast<std::uint32_t>(stream.consumed_), stream.window_}));
    }
  }
  std::size_t taken = 0;
  // Behind every SYN, one of which may be the stream's own.
  while (control_.empty() && taken < ends_.size() && fits(kSmuxHeaderSize)) {
    const End& end = ends_[taken++];
    put(encode_smux_header({version(), end.command, 0, end.id}));
  }
  if (taken == ends_.size()) {
    ends_ = {};
  } else {
    ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(taken));
  }
  return size;
}

std::optional<TimePoint> SmuxMachine::next_timeout() const {
  if (options_.keepalive_disabled) return std::nullopt;
  return std::min(next_nop_, next_check_);
}

Result<> SmuxMachine::expire(TimePoint now) {
  if (options_.keepalive_disabled) return {};
  if (now >= next_nop_) {
    nop_ = true;
    next_nop_ = now + options_.keepalive_interval;
  }
  if (now >= next_check_) {
    // Who does not read because too much is unread cannot tell whether the peer is silent.
    if (!heard_ && budget_ > 0) {
      return fail(Cause::timeout, "smux: nothing came from the peer for " + to_string(options_.keepalive_timeout) +
                                      " (mux.keepaliveTimeout)");
    }
    heard_ = false;
    next_check_ = now + options_.keepalive_timeout;
  }
  return {};
}

void SmuxMachine::end() {
  streams_.for_each([](SmuxStream& stream) {
    stream.ListHook<SmuxTableTag>::unlink();
    stream.ListHook<SmuxControlTag>::unlink();
    stream.machine_ = nullptr;
    if (stream.observer_ != nullptr) stream.observer_->ended();
  });
  table_.clear();
  accepted_.clear();
  ends_ = {};
  nop_ = false;
  sign_ = false;
  payload_of_ = nullptr;
}

void SmuxMachine::consumed(SmuxStream& stream, std::size_t bytes, TimePoint now) {
  budget_ += static_cast<std::int64_t>(bytes);
  stream.consumed_ += bytes;
  if (version() == 1) return;
  if (stream.queue_.empty()) stream.was_dry_ = true;
  if (stream.announced_window_ && stream.consumed_ - stream.reported_ < stream.window_ / 2) return;
  grow_window(stream, now);
  stream.announced_window_ = true;
  stream.wants_update_ = true;
  queue_control(stream);
}

void SmuxMachine::grow_window(SmuxStream& stream, TimePoint now) {
  bool first = !stream.announced_window_;
  if (!first && stream.consumed_ - stream.measured_from_ < stream.window_) return;
  bool fast = !first && stream.was_dry_ && now - stream.measured_at_ < kFastRead;
  stream.measured_from_ = stream.consumed_;
  stream.measured_at_ = now;
  stream.was_dry_ = false;
  std::int64_t larger =
      std::min<std::int64_t>({std::int64_t{stream.window_} * 2, kMaxWindow, options_.max_receive_buffer});
  std::int64_t growth = larger - stream.window_;
  // Half of the session's budget is never lent like this, so that a reader that stalls leaves room for the others.
  if (!fast || growth <= 0 || extra_windows_ + growth > options_.max_receive_buffer / 2) return;
  extra_windows_ += growth;
  stream.window_ = static_cast<std::uint32_t>(larger);
}

void SmuxMachine::sign() {
  if (options_.half_close && !std::exchange(signed_, true)) sign_ = true;
}

void SmuxMachine::queue_control(SmuxStream& stream) {
  if (!stream.ListHook<SmuxControlTag>::linked()) control_.push_back(stream);
}

void SmuxMachine::forget(SmuxStream& stream) {
  stream.ListHook<SmuxTableTag>::unlink();
  stream.ListHook<SmuxControlTag>::unlink();
  table_.erase(stream.id());
  if (payload_of_ == &stream) payload_of_ = nullptr;
  budget_ += static_cast<std::int64_t>(stream.queue_.size());
  extra_windows_ -= stream.window_ - options_.max_stream_buffer;
  if (!stream.unannounced_) queue_fin(stream.id());
}

}  // namespace gost
