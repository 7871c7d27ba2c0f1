// Segments of KCP (wire.md §12.5): a header of 24 bytes, little endian, and data. A packet holds one or more of them.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gost::kcp {

inline constexpr std::size_t kSegmentHeader = 24;

enum class Command : std::uint8_t {
  push = 0x51,  ///< data
  ack = 0x52,   ///< one segment has arrived; echoes its number and time
  ask = 0x53,   ///< how large is your window?
  tell = 0x54,  ///< this large
};

struct Segment {
  std::uint32_t conversation = 0;  ///< of the session
  Command command = Command::push;
  std::uint8_t fragment = 0;  ///< how many segments of the same message follow; 0 in a stream
  std::uint16_t window = 0;   ///< so many segments the sender can take
  std::uint32_t timestamp = 0;
  std::uint32_t number = 0;
  std::uint32_t una = 0;  ///< the first number that the sender has not received
  Bytes data;
};

/// Writes the header of a segment to the front of `into` (at least kSegmentHeader bytes). The data follow there.
void encode_header(const Segment& segment, MutableBytes into);

/// Takes the first segment off `packet`; its data are views into it. Nothing if there is none: the packet is used up,
/// or what follows is malformed (too short, an unknown command, data beyond the packet).
std::optional<Segment> take_segment(Bytes& packet);

}  // namespace gost::kcp
