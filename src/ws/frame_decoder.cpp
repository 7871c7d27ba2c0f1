#include "ws/frame_decoder.hpp"

#include <algorithm>
#include <cstring>

namespace gost::ws {

Result<FrameDecoder::Event> FrameDecoder::next(Bytes& raw) {
  for (;;) {
    if (!in_frame_) {
      auto begun = read_head(raw);
      if (!begun) return fail(std::move(begun.error()));
      if (!*begun) return Event::need_more;
    }
    if (is_control(header_.opcode)) {
      const std::size_t before = control_.size();
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, raw.size()));
      control_.resize(before + count);
      take(MutableBytes(control_).subspan(before), raw);
      if (left_ > 0) return Event::need_more;
      in_frame_ = false;
      return header_.opcode == Opcode::ping   ? Event::ping
             : header_.opcode == Opcode::pong ? Event::pong
                                              : Event::close;
    }
    if (left_ > 0) return raw.empty() ? Event::need_more : Event::data;
    in_frame_ = false;
    if (header_.fin) {
      in_message_ = false;
      return Event::end_of_message;
    }
  }
}

Result<bool> FrameDecoder::read_head(Bytes& raw) {
  for (;;) {
    auto decoded = decode_frame_head(Bytes(head_).first(head_size_));
    if (auto* error = std::get_if<Error>(&decoded)) return fail(std::move(*error));
    if (auto* head = std::get_if<DecodedFrameHead>(&decoded)) {
      header_ = head->header;
      head_size_ = 0;
      if (auto good = begin_frame(); !good) return fail(std::move(good.error()));
      return true;
    }
    const std::size_t count = std::min(std::get<NeedMore>(decoded).bytes, raw.size());
    if (count == 0) return false;
    std::memcpy(head_.data() + head_size_, raw.data(), count);
    head_size_ = static_cast<std::uint8_t>(head_size_ + count);
    raw = raw.subspan(count);
    // The mask bit stands in the second byte: who forgets it should learn so before the rest of the head has come.
    if (head_size_ >= 2 && ((head_[1] & 0x80) != 0) != peer_masks_) return fail(Cause::protocol, "bad MASK");
  }
}

Result<> FrameDecoder::begin_frame() {
  const bool starts = header_.opcode == Opcode::text || header_.opcode == Opcode::binary;
  if (header_.rsv1 && !(compression_ && starts)) return fail(Cause::protocol, "RSV1 set");
  left_ = header_.length;
  in_frame_ = true;
  if (is_control(header_.opcode)) {
    control_ = {};
    return {};
  }
  if (starts && in_message_) return fail(Cause::protocol, "data before FIN");
  if (!starts && !in_message_) return fail(Cause::protocol, "continuation after FIN");
  if (starts) message_compressed_ = header_.rsv1;
  in_message_ = true;
  return {};
}

std::size_t FrameDecoder::take(MutableBytes into, Bytes& raw) {
  const std::size_t room = std::min(into.size(), raw.size());
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, left_));
  if (count == 0) return 0;
  if (header_.masked) {
    mask_into(into.data(), raw.first(count), header_.key, header_.length - left_);
  } else {
    std::memcpy(into.data(), raw.data(), count);
  }
  raw = raw.subspan(count);
  left_ -= count;
  return count;
}

void FrameDecoder::take_in_place(MutableBytes payload) {
  if (header_.masked) mask(payload, header_.key, header_.length - left_);
  left_ -= payload.size();
}

}  // namespace gost::ws
