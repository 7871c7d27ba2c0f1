#include "mux/yamux_stream.hpp"

#include "mux/yamux_machine.hpp"

#include <algorithm>
#include <cerrno>

namespace gost {

IoResult YamuxStream::read(MutableBytes into, TimePoint /*now*/) {
  if (std::size_t count = queue_.pop(into); count > 0) {
    if (machine_ != nullptr) machine_->consumed(*this, count);
    return IoResult::moved(count);
  }
  if (remote_finished_ || closed_) return IoResult::eof();
  return readable() ? IoResult::failed(ECONNRESET) : IoResult::would_block();
}

int YamuxStream::send_error() const {
  if (machine_ == nullptr || finished_) return EPIPE;
  return reset_ ? ECONNRESET : 0;
}

MuxHeader YamuxStream::header(std::size_t length) const {
  auto encoded = encode_yamux_header({YamuxType::data, 0, id(), static_cast<std::uint32_t>(length)});
  return {encoded, encoded.size()};
}

IoResult YamuxStream::shutdown() {
  if (int error = send_error(); error != 0 && !finished_) return IoResult::failed(error);
  if (machine_ != nullptr && !finished_) machine_->finish(*this);
  return IoResult::moved(0);
}

void YamuxStream::leave(bool broken) {
  if (machine_ != nullptr) machine_->forget(*this, broken);
  machine_ = nullptr;
  closed_ = true;
  queue_.clear();
}

}  // namespace gost
