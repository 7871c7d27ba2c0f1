#include "ws/frame_sender.hpp"

#include "net/gather.hpp"
#include "ws/deflate.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gost::ws {

namespace {

constexpr std::size_t kMaxControl = 2048;

MaskKey fresh_key() {
  MaskKey key{};
  ::RAND_bytes(key.data(), static_cast<int>(key.size()));
  return key;
}

}  // namespace

FrameHeader FrameSender::header_for(Opcode opcode, std::size_t length) const {
  FrameHeader header{.opcode = opcode, .length = length};
  if (options_.role == Role::client) {
    header.masked = true;
    header.key = fresh_key();
  }
  return header;
}

IoResult FrameSender::write(Bytes from) {
  if (!under_way()) {
    if (IoResult control = flush(); control.status != IoResult::Status::ok) return control;
    if (options_.compression) return compress(from);
    begin(std::min(from.size(), options_.max_payload));
  }
  return kept_ ? send_kept(from.size()) : send(from);
}

void FrameSender::begin(std::size_t length) {
  const FrameHeader header = header_for(Opcode::binary, length);
  head_ = encode_frame_head(header);
  head_sent_ = 0;
  key_ = header.key;
  length_ = left_ = length;
}

IoResult FrameSender::send(Bytes payload) {
  payload = payload.first(std::min({payload.size(), left_, BufferPool::kBufferSize}));
  for (;;) {
    const Bytes head = head_.view().subspan(head_sent_);
    IoResult io = below_.kernel(Interest::write) != nullptr ? gather(head, payload) : copy(head, payload);
    if (io.status != IoResult::Status::ok) return io;
    sent_ += io.bytes;
    const std::size_t of_head = std::min(io.bytes, head.size());
    head_sent_ = static_cast<std::uint8_t>(head_sent_ + of_head);
    const std::size_t moved = io.bytes - of_head;
    if (moved == 0) continue;
    left_ -= moved;
    if (left_ == 0) flush();
    return IoResult::moved(moved);
  }
}

IoResult FrameSender::gather(Bytes head, Bytes payload) {
  std::optional<BufferPool::Buffer> buffer;
  if (options_.role == Role::client) {
    buffer.emplace(buffers_.borrow());
    mask_into(buffer->bytes().data(), payload, key_, length_ - left_);
    payload = buffer->bytes().first(payload.size());
  }
  std::array<iovec, 2> slices{slice_of(head), slice_of(payload)};
  return try_gather(*below_.kernel(Interest::write), slices);
}

IoResult FrameSender::copy(Bytes head, Bytes payload) {
  const BufferPool::Buffer buffer = buffers_.borrow();
  payload = payload.first(std::min(payload.size(), BufferPool::kBufferSize - head.size()));
  std::ranges::copy(head, buffer.bytes().begin());
  const MutableBytes place = buffer.bytes().subspan(head.size(), payload.size());
  if (options_.role == Role::client) {
    mask_into(place.data(), payload, key_, length_ - left_);
  } else {
    std::memcpy(place.data(), payload.data(), payload.size());
  }
  return below_.try_write(buffer.bytes().first(head.size() + payload.size()));
}

IoResult FrameSender::compress(Bytes from) {
  from = from.first(std::min({from.size(), options_.max_payload, kMaxDeflated}));
  BufferPool::Buffer buffer = buffers_.borrow();
  const MutableBytes payload = buffer.bytes().subspan(kMaxFrameHead);
  const auto size = deflate_message(from, payload);
  if (!size) return IoResult::failed(ENOMEM);
  FrameHeader header = header_for(Opcode::binary, *size);
  header.rsv1 = true;
  if (header.masked) mask(payload.first(*size), header.key, 0);
  const FrameHead head = encode_frame_head(header);
  const std::size_t begin = kMaxFrameHead - head.size;
  std::ranges::copy(head.view(), buffer.bytes().subspan(begin).begin());
  kept_.emplace(std::move(buffer), begin, head.size + *size, from.size());
  return send_kept(from.size());
}

IoResult FrameSender::send_kept(std::size_t most) {
  while (kept_->size > 0) {
    IoResult io = below_.try_write(kept_->buffer.bytes().subspan(kept_->begin, kept_->size));
    if (io.status != IoResult::Status::ok) return io;
    sent_ += io.bytes;
    kept_->begin += io.bytes;
    kept_->size -= io.bytes;
  }
  // A caller that comes back with less than before learns of the rest next time.
  const std::size_t written = std::min(kept_->plain, most);
  kept_->plain -= written;
  if (kept_->plain == 0) {
    kept_.reset();
    flush();
  }
  return IoResult::moved(written);
}

void FrameSender::queue(Opcode opcode, Bytes payload) {
  if (control_.size() - control_shown_ > kMaxControl) flush();
  if (control_.size() - control_shown_ > kMaxControl) control_.resize(last_control_);
  last_control_ = control_.size();
  const FrameHeader header = header_for(opcode, payload.size());
  const FrameHead head = encode_frame_head(header);
  control_.insert(control_.end(), head.view().begin(), head.view().end());
  control_.insert(control_.end(), payload.begin(), payload.end());
  if (header.masked) mask(MutableBytes(control_).last(payload.size()), header.key, 0);
}

IoResult FrameSender::flush() {
  if (under_way()) return IoResult::moved(0);
  while (control_sent_ < control_.size()) {
    if (control_shown_ == control_sent_) {
      control_.erase(control_.begin(), control_.begin() + static_cast<std::ptrdiff_t>(control_sent_));
      last_control_ -= std::min(last_control_, control_sent_);
      control_sent_ = 0;
      control_shown_ = control_.size();
    }
    IoResult io = below_.try_write(Bytes(control_).subspan(control_sent_, control_shown_ - control_sent_));
    if (io.status != IoResult::Status::ok) return io;
    control_sent_ += io.bytes;
  }
  control_ = {};
  control_sent_ = control_shown_ = last_control_ = 0;
  return IoResult::moved(0);
}

}  // namespace gost::ws
