// FrameDecoder: what a peer's bytes mean, frame by frame, without I/O (RFC 6455 §5).
#pragma once

#include "ws/frame.hpp"

#include <vector>

namespace gost::ws {

/// Fed with bytes in any segmentation. Payload of messages is taken out by the caller, wherever it wants to have it;
/// payload of control frames is collected here. After an error it is of no further use.
class FrameDecoder {
 public:
  /// `role` is our own: a server's peer must mask, a client's must not. `compression`: RSV1 may be set.
  FrameDecoder(Role role, bool compression) : peer_masks_(role == Role::server), compression_(compression) {}

  enum class Event : std::uint8_t {
    need_more,       ///< all of the bytes are taken, and more are needed
    data,            ///< the bytes begin with payload: take() it
    end_of_message,  ///< said once for each message, also for an empty one
    ping,            ///< control() has its payload
    pong,
    close,
  };

  /// Takes heads and control frames off the front of `raw`. Errors (Cause::protocol): what is wrong, as the reason
  /// for a Close 1002.
  Result<Event> next(Bytes& raw);

  /// After `data`: takes payload off the front of `raw`, as much as there is and as fits, and puts it, unmasked, to
  /// the front of `into`. The number of bytes.
  std::size_t take(MutableBytes into, Bytes& raw);
  /// The same for payload that was read straight to where it belongs; at most left() bytes.
  void take_in_place(MutableBytes payload);

  /// Payload bytes of the current data frame that are still to come; 0 between frames.
  std::uint64_t left() const { return in_frame_ && !is_control(header_.opcode) ? left_ : 0; }
  /// Whether next() has something to tell although no more bytes have come: the end of a message.
  bool at_the_end() const { return in_frame_ && left_ == 0; }
  /// Whether the current message is compressed.
  bool compressed() const { return message_compressed_; }
  /// Whether the bytes so far are whole messages and whole control frames.
  bool at_a_boundary() const { return !in_frame_ && !in_message_ && head_size_ == 0; }
  /// The payload of the control frame that next() has told.
  Bytes control() const { return control_; }

 private:
  /// True when a whole head is there, and in force.
  Result<bool> read_head(Bytes& raw);
  Result<> begin_frame();

  FrameHeader header_;
  std::uint64_t left_ = 0;  ///< of the current frame's payload
  std::vector<std::uint8_t> control_;
  std::array<std::uint8_t, kMaxFrameHead> head_{};
  std::uint8_t head_size_ = 0;
  const bool peer_masks_;
  const bool compression_;
  bool in_frame_ = false;
  bool in_message_ = false;
  bool message_compressed_ = false;
};

}  // namespace gost::ws
