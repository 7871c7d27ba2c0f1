#include "mux/smux_stream.hpp"

#include "mux/smux_machine.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace gost {

SmuxStream::SmuxStream(SmuxMachine& machine, std::uint32_t id)
    : MuxMachineStream(id),
      machine_(&machine),
      window_(static_cast<std::uint32_t>(machine.options().max_stream_buffer)) {}

IoResult SmuxStream::read(MutableBytes into, TimePoint now) {
  if (std::size_t count = queue_.pop(into); count > 0) {
    if (machine_ != nullptr) machine_->consumed(*this, count, now);
    return IoResult::moved(count);
  }
  if (remote_finished_ || closed_) {
    end_seen_ = true;
    return IoResult::eof();
  }
  return machine_ == nullptr ? IoResult::failed(ECONNRESET) : IoResult::would_block();
}

int SmuxStream::send_error() const {
  if (machine_ == nullptr || finished_ || remote_closed_) return EPIPE;
  if (machine_->version() == 2 && static_cast<std::int32_t>(sent_ - peer_consumed_) < 0) return EPROTO;
  return 0;
}

std::size_t SmuxStream::sendable() const {
  if (send_error() != 0) return 0;
  if (machine_->version() == 1) return std::numeric_limits<std::size_t>::max();
  // The difference of the counters is a signed number, so more than that cannot be on the way.
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  std::uint32_t window = std::min(peer_window_, kMost);
  std::uint32_t in_flight = sent_ - peer_consumed_;
  return window > in_flight ? window - in_flight : 0;
}

MuxHeader SmuxStream::header(std::size_t length) const {
  auto encoded =
      encode_smux_header({machine_->version(), SmuxCommand::psh, static_cast<std::uint16_t>(length), id()});
  MuxHeader header;
  std::ranges::copy(encoded, header.bytes.begin());
  header.size = encoded.size();
  return header;
}

IoResult SmuxStream::shutdown() {
  if (machine_ == nullptr) return IoResult::failed(EPIPE);
  // A peer that has closed the stream need not be told.
  if (!finished_ && !remote_closed_) {
    if (!machine_->peer_half_closes()) return IoResult::failed(ENOTSUP);
    machine_->queue_half_close(id());
  }
  finished_ = true;
  return IoResult::moved(0);
}

Error SmuxStream::error(int number) const {
  if (number == EPROTO) return {Cause::protocol, "smux: the peer claims to have read more than was sent"};
  return Error::system(number);
}

void SmuxStream::close() {
  if (machine_ != nullptr) machine_->forget(*this);
  machine_ = nullptr;
  closed_ = true;
  queue_.clear();
}

}  // namespace gost
