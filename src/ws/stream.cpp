#include "ws/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gost::ws {

namespace {

/// Payload that is read straight to where it belongs, if this much of it is still to come.
constexpr std::size_t kDirect = std::size_t{16} * 1024;
/// So much without payload in one read, and the others of the loop go first.
constexpr std::size_t kMostOverhead = std::size_t{256} * 1024;
/// Control frames for which there was no room are tried again after this pause, and after twice as long each time.
constexpr Duration kFirstRetry = std::chrono::milliseconds(20);
constexpr Duration kLongestRetry = std::chrono::seconds(1);
/// What a peer has sent after its mistake is read and dropped, so that closing does not reset the connection before
/// our Close is read.
constexpr int kDroppedReads = 4;

constexpr std::uint16_t kNormalClosure = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kInternalError = 1011;
constexpr std::uint16_t kNoClose = 0;

constexpr auto kOk = IoResult::Status::ok;

std::string_view name_of_peer(Role role) {
  return role == Role::server ? "client" : "server";
}

}  // namespace

WsStream::WsStream(IoContext& io, std::unique_ptr<Stream> below, const StreamOptions& options, Bytes first)
    : Timer([](Timer& timer) { static_cast<WsStream&>(timer).on_timer(); }),
      io_(io),
      below_(std::move(below)),
      decoder_(options.sender.role, options.sender.compression),
      sender_(*below_, io.buffers, options.sender),
      client_(options.client),
      ping_interval_(options.ping_interval),
      last_heard_(io.loop.now()),
      next_ping_(io.loop.now() + options.ping_interval),
      retry_(kFirstRetry),
      role_(options.sender.role) {
  if (!first.empty()) {
    input_.buffer.emplace(io.buffers.borrow());
    std::memcpy(input_.buffer->bytes().data(), first.data(), first.size());
    input_.size = first.size();
  }
  arm();
}

WsStream::~WsStream() {
  if (armed()) io_.loop.disarm(*this);
  if (!shut_down_) sender_.flush();
}

IoResult WsStream::try_read(MutableBytes into) {
  std::size_t moved = 0;
  std::size_t overhead = 0;
  while (moved < into.size() && !ended_ && !failure_ && !paused_) {
    const std::size_t before = input_.size;
    Next next = Next::again;
    if (inflater_ && inflater_->pending()) {
      next = inflate(into, moved);
    } else if (input_.size > 0 || decoder_.at_the_end()) {
      next = decode(into, moved);
    } else if (moved > 0 && !below_->ready(Interest::read)) {
      break;
    } else {
      next = read_from_below(into, moved);
    }
    if (next == Next::later) break;
    if (moved > 0) continue;
    overhead += before > input_.size ? before - input_.size : 0;
    if (overhead > kMostOverhead) paused_ = true;
  }
  send_control();
  if (moved > 0) return IoResult::moved(moved);
  if (failure_) return IoResult::failed(failure_number_);
  return ended_ ? IoResult::eof() : IoResult::would_block();
}

WsStream::Next WsStream::read_from_below(MutableBytes into, std::size_t& moved) {
  const MutableBytes room = into.subspan(moved);
  const bool direct = decoder_.left() >= kDirect && room.size() >= kDirect && !decoder_.compressed();
  if (direct) {
    const MutableBytes place =
        room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), decoder_.left())));
    IoResult io = below_->try_read(place);
    if (io.status != kOk) return below_ended(io);
    decoder_.take_in_place(place.first(io.bytes));
    moved += io.bytes;
  } else {
    BufferPool::Buffer buffer = io_.buffers.borrow();
    IoResult io = below_->try_read(buffer.bytes());
    if (io.status != kOk) return below_ended(io);
    input_.begin = 0;
    input_.size = io.bytes;
    input_.buffer.emplace(std::move(buffer));
  }
  last_heard_ = io_.loop.now();
  return Next::again;
}

WsStream::Next WsStream::below_ended(const IoResult& io) {
  if (io.status == IoResult::Status::would_block) return Next::later;
  if (io.status == IoResult::Status::error) return break_off(io.error, below_->error(io.error), kNoClose, {});
  if (within_a_message())
    return break_off(ECONNRESET, {Cause::reset, "websocket: the connection ended within a message"}, kNoClose, {});
  ended_ = true;
  return Next::later;
}

WsStream::Next WsStream::decode(MutableBytes into, std::size_t& moved) {
  Bytes raw = input_.view();
  auto event = decoder_.next(raw);
  input_.drop(input_.size - raw.size());
  if (!event) return broken_rule(event.error().text);
  switch (*event) {
  case FrameDecoder::Event::need_more: break;
  case FrameDecoder::Event::data:
    if (decoder_.compressed()) {
      begin_to_inflate();
    } else {
      raw = input_.view();
      moved += decoder_.take(into.subspan(moved), raw);
      input_.drop(input_.size - raw.size());
    }
    break;
  case FrameDecoder::Event::end_of_message:
    if (decoder_.compressed()) {
      begin_to_inflate();
      if (inflater_) return finish_message();
    }
    break;
  case FrameDecoder::Event::ping:
    if (!shut_down_) sender_.queue(Opcode::pong, decoder_.control());
    break;
  case FrameDecoder::Event::pong: break;
  case FrameDecoder::Event::close: answer_close(); break;
  }
  return Next::again;
}

void WsStream::begin_to_inflate() {
  if (!inflater_) {
    auto begun = Inflater::begin();
    if (!begun) {
      cannot_inflate(begun.error());
      return;
    }
    inflater_ = std::move(*begun);
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(input_.size, decoder_.left()));
  if (size == 0) return;
  const MutableBytes payload = input_.view().first(size);
  decoder_.take_in_place(payload);
  inflater_->feed(payload);
  inflating_ = size;
}

WsStream::Next WsStream::inflate(MutableBytes into, std::size_t& moved) {
  auto made = inflater_->inflate(into.subspan(moved));
  if (!made) return cannot_inflate(made.error());
  moved += *made;
  if (inflater_->pending()) return Next::again;
  input_.drop(std::exchange(inflating_, 0));
  if (inflater_->done()) inflater_.reset();
  return Next::again;
}

WsStream::Next WsStream::finish_message() {
  auto whole = inflater_->finish();
  return whole ? Next::again : cannot_inflate(whole.error());
}

WsStream::Next WsStream::cannot_inflate(const Error& error) {
  if (error.cause == Cause::protocol) return broken_rule(error.text);
  return break_off(ENOMEM, error.in("websocket"), kInternalError, error.text);
}

void WsStream::answer_close() {
  auto code = parse_close(decoder_.control());
  if (!code) {
    broken_rule(code.error().text);
    return;
  }
  ended_ = true;
  input_.drop(input_.size);
  if (!closed_ && !shut_down_) {
    closed_ = true;
    sender_.queue(Opcode::close, decoder_.control().first(code->has_value() ? 2 : 0));
  }
  const bool in_order = !*code || **code == kNormalClosure || **code == kGoingAway;
  if (in_order && !within_a_message()) return;
  std::string said = "websocket: the " + std::string(name_of_peer(role_)) + " closed";
  if (*code) said += " with " + std::to_string(**code);
  if (within_a_message()) said += " within a message";
  if (decoder_.control().size() > 2) said += ": " + std::string(as_text(decoder_.control().subspan(2)));
  break_off(ECONNRESET, {Cause::reset, std::move(said)}, kNoClose, {});
}

WsStream::Next WsStream::broken_rule(const std::string& which) {
  return break_off(
      EPROTO,
      {Cause::protocol, "websocket: the " + std::string(name_of_peer(role_)) + " broke the protocol: " + which},
      kProtocolError, which);
}

WsStream::Next WsStream::break_off(int number, Error error, std::uint16_t close_code, std::string_view reason) {
  failure_ = std::make_unique<Error>(std::move(error));
  failure_number_ = number;
  inflater_.reset();
  inflating_ = 0;
  input_.drop(input_.size);
  if (close_code == kNoClose || closed_ || shut_down_) return Next::later;
  closed_ = true;
  std::vector<std::uint8_t> payload{static_cast<std::uint8_t>(close_code >> 8),
                                    static_cast<std::uint8_t>(close_code)};
  const Bytes text = as_bytes(reason);
  payload.insert(payload.end(), text.begin(), text.end());
  sender_.queue(Opcode::close, payload);
  sender_.flush();
  const BufferPool::Buffer buffer = io_.buffers.borrow();
  for (int i = 0; i < kDroppedReads && below_->ready(Interest::read); ++i)
    if (below_->try_read(buffer.bytes()).status != kOk) break;
  return Next::later;
}

IoResult WsStream::try_write(Bytes from) {
  if (failure_) return IoResult::failed(failure_number_);
  if (closed_ || shut_down_) {
    sender_.flush();
    return IoResult::failed(EPIPE);
  }
  IoResult io = sender_.write(from);
  if (sender_.waiting()) arm();
  return io;
}

IoResult WsStream::try_shutdown() {
  if (failure_) return IoResult::failed(failure_number_);
  if (!shut_down_) {
    if (IoResult rest = sender_.flush(); rest.status != kOk) return rest;
    shut_down_ = true;
  }
  return below_->try_shutdown();
}

bool WsStream::ready(Interest interest) const {
  if (failure_) return true;
  if (interest == Interest::write) return closed_ || shut_down_ || below_->ready(Interest::write);
  if (ended_) return true;
  if (paused_) return false;
  return input_.size > 0 || (inflater_ && inflater_->pending()) || below_->ready(Interest::read);
}

Error WsStream::error(int number) const {
  return failure_ && number == failure_number_ ? *failure_ : below_->error(number);
}

void WsStream::send_control() {
  if (!shut_down_ && sender_.waiting()) sender_.flush();
  if (paused_ || sender_.waiting()) arm();
}

void WsStream::arm() {
  TimePoint when = TimePoint::max();
  if (paused_) when = io_.loop.now();
  if (!sender_.waiting()) retry_ = kFirstRetry;
  if (!shut_down_ && !failure_) {
    if (sender_.waiting()) when = std::min(when, io_.loop.now() + retry_);
    if (ping_interval_ > Duration::zero() && !closed_)
      when = std::min({when, next_ping_, last_heard_ + 2 * ping_interval_});
  }
  if (when == TimePoint::max() || (armed() && Timer::when() <= when)) return;
  io_.loop.arm(*this, when);
}

void WsStream::on_timer() {
  if (std::exchange(paused_, false)) wake(Interest::read);
  if (!shut_down_ && !failure_) {
    keep_alive();
    if (sender_.waiting()) retry();
  }
  arm();
}

void WsStream::keep_alive() {
  if (ping_interval_ <= Duration::zero() || closed_) return;
  const TimePoint now = io_.loop.now();
  // What waits unread is a sign of life, too; only nobody has looked at it yet.
  if (payload_moves() || input_.size > 0 || below_->ready(Interest::read)) last_heard_ = now;
  if (now - last_heard_ >= 2 * ping_interval_) {
    const std::string silence = to_string(2 * ping_interval_);
    break_off(ETIMEDOUT,
              {Cause::timeout,
               "websocket: the " + std::string(name_of_peer(role_)) + " has not answered a ping for " + silence},
              kNoClose, {});
    wake(Interest::read);
    wake(Interest::write);
  } else if (now >= next_ping_) {
    sender_.queue(Opcode::ping, {});
    next_ping_ = now + ping_interval_;
  }
}

bool WsStream::payload_moves() {
  // What had not arrived at the last look either has by now, which is a sign of life, or our pings are behind it.
  const bool moves = sender_.sent() != arrived_ || sender_.under_way() || sender_.queued() > 0;
  if (below_->undelivered() == 0) arrived_ = sender_.sent();
  return moves;
}

void WsStream::retry() {
  if (below_->ready(Interest::write)) sender_.flush();
  retry_ = std::min(2 * retry_, kLongestRetry);
}

void WsStream::wake(Interest interest) {
  if (Wait* wait = below_->waiting(interest)) wait->complete();
}

}  // namespace gost::ws
