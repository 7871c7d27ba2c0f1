#include "socks5/framed_datagram.hpp"

#include "socks5/udp_codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>
#include <utility>

namespace gost::socks5 {

namespace {

constexpr std::size_t kMaxPayload = 65535;  ///< LEN has two bytes
constexpr std::size_t kMaxName = 255;
/// One read; together with the beginning of a frame it fits into the batch.
constexpr std::size_t kReadSize = std::size_t{64} * 1024;
static_assert(kMaxFrame + kReadSize <= DatagramBatch::kCapacity);

/// Frames behind each other, up to one write.
class FrameBuffer {
 public:
  bool fits(std::size_t count) const { return count <= data_.size() - size_; }
  void add(Bytes header, const OutgoingDatagram& datagram) {
    append(header);
    append(datagram.head);
    append(datagram.payload);
    content_.add_sent(datagram);
  }
  /// What it is once all of it is written.
  const SendOutcome& content() const { return content_; }
  Bytes view() const { return Bytes(data_).first(size_); }
  void clear() {
    size_ = 0;
    content_ = {};
  }

 private:
  void append(Bytes bytes) {
    std::ranges::copy(bytes, data_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }

  std::array<std::uint8_t, kMaxFrame> data_;
  std::size_t size_ = 0;
  SendOutcome content_;
};

}  // namespace

FramedDatagram::FramedDatagram(std::unique_ptr<Stream> stream, SocketAddress local,
                               const FramedDatagramOptions& options)
    : stream_(std::move(stream)), local_(local), options_(options) {
  options_.max_payload = std::min(options_.max_payload, kMaxPayload);
}

IoResult FramedDatagram::try_receive(DatagramBatch& batch) {
  batch.clear();
  if (broken_) return IoResult::failed(EPROTO);
  for (;;) {
    MutableBytes memory = batch.memory();
    IoResult io = stream_->try_read(memory.subspan(partial_.size(), kReadSize));
    if (io.status != IoResult::Status::ok) return io;
    Bytes read = memory.subspan(partial_.size(), io.bytes);
    if (partial_.size() >= kMaxUdpHeader && read.size() < missing_) {
      // Behind the header, looking at the frame again before it can be whole would make slow arrival expensive.
      partial_.insert(partial_.end(), read.begin(), read.end());
      missing_ -= read.size();
      continue;
    }
    std::ranges::copy(partial_, memory.begin());
    if (take_frames(memory.first(partial_.size() + io.bytes), batch)) return io;
    if (broken_) return IoResult::failed(EPROTO);
  }
}

bool FramedDatagram::take_frames(Bytes bytes, DatagramBatch& batch) {
  std::size_t size = bytes.size();
  auto decoded = decode_frame(bytes);
  while (auto* frame = std::get_if<Frame>(&decoded)) {
    if (frame->payload.size() > options_.max_payload) {
      ++oversized_;
    } else {
      batch.add({frame->address.peer, frame->address.name, frame->payload});
    }
    bytes = bytes.subspan(frame->size);
    decoded = decode_frame(bytes);
  }
  if (auto* more = std::get_if<NeedMore>(&decoded)) {
    missing_ = more->bytes;
    partial_ = std::vector<std::uint8_t>(bytes.begin(), bytes.end());  // with room for no more than that
  } else {
    broken_ = true;
    partial_ = {};
  }
  return bytes.size() < size;
}

SendOutcome FramedDatagram::try_send(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome;
  if (pending()) std::ignore = try_flush();
  if (pending()) {
    outcome.dropped = datagrams.size();
    return outcome;
  }
  FrameBuffer frames;
  for (const OutgoingDatagram& datagram : datagrams) {
    if (int reason = unfit(datagram); reason != 0) {
      ++outcome.dropped;
      outcome.error = reason;
      continue;
    }
    std::size_t size = datagram.head.size() + datagram.payload.size();
    auto header = encode_frame_header({datagram.peer, datagram.name}, size);
    if (!frames.fits(header.size() + size)) {
      outcome += write(frames.view(), frames.content());
      frames.clear();
    }
    frames.add(header.view(), datagram);
  }
  return outcome += write(frames.view(), frames.content());
}

int FramedDatagram::unfit(const OutgoingDatagram& datagram) const {
  std::size_t size = datagram.head.size() + datagram.payload.size();
  if (size > options_.max_payload) return EMSGSIZE;
  if (size == 0 && !options_.send_empty) return EOPNOTSUPP;
  return datagram.name.size() > kMaxName ? ENAMETOOLONG : 0;
}

SendOutcome FramedDatagram::write(Bytes bytes, const SendOutcome& content) {
  // Behind what is kept already there is nothing to try.
  while (unsent_.empty() && !bytes.empty()) {
    IoResult io = stream_->try_write(bytes);
    if (io.status == IoResult::Status::would_block) break;
    if (io.status != IoResult::Status::ok) {
      return {.dropped = content.sent, .error = io.status == IoResult::Status::error ? io.error : EPIPE};
    }
    bytes = bytes.subspan(io.bytes);
  }
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
  return content;
}

IoResult FramedDatagram::try_flush() {
  std::size_t moved = 0;
  while (written_ < unsent_.size()) {
    IoResult io = stream_->try_write(Bytes(unsent_).subspan(written_));
    if (io.status == IoResult::Status::would_block) return io;
    if (io.status != IoResult::Status::ok) {
      forget_unsent();
      return io;
    }
    written_ += io.bytes;
    moved += io.bytes;
  }
  forget_unsent();
  return IoResult::moved(moved);
}

void FramedDatagram::forget_unsent() {
  unsent_ = {};
  written_ = 0;
}

bool FramedDatagram::ready(Interest interest) const {
  return (interest == Interest::read && broken_) || stream_->ready(interest);
}

Error FramedDatagram::error(int number) const {
  if (number == EPROTO) return {Cause::protocol, "socks5: malformed frame in the UDP tunnel"};
  return stream_->error(number);
}

}  // namespace gost::socks5
