// Frames of yamux (wire.md §6.8): a header of 12 bytes, big endian; only frames with data have a payload.
#pragma once

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace gost {

inline constexpr std::size_t kYamuxHeaderSize = 12;
/// So much of a new stream may be sent before the peer has said anything.
inline constexpr std::uint32_t kYamuxFirstWindow = 262'144;

enum class YamuxType : std::uint8_t {
  data,           ///< bytes of a stream; length: how many follow
  window_update,  ///< length: by how much the window of the stream grows
  ping,           ///< length: a number that the answer repeats
  go_away,        ///< length: a YamuxGoAway
};

/// What else a frame says; several at once in `data` and `window_update`.
namespace yamux_flag {
inline constexpr std::uint16_t kSyn = 1;  ///< opens the stream; in `ping`: to be answered
inline constexpr std::uint16_t kAck = 2;  ///< accepts the stream; in `ping`: the answer
inline constexpr std::uint16_t kFin = 4;  ///< the sender of it sends no more on the stream
inline constexpr std::uint16_t kRst = 8;  ///< the stream is broken, or was not accepted
}  // namespace yamux_flag

enum class YamuxGoAway : std::uint32_t {
  normal,          ///< no new streams, please
  protocol_error,  ///< and the end of the session
  internal_error,  ///< likewise
};

struct YamuxHeader {
  YamuxType type = YamuxType::data;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;

  bool operator==(const YamuxHeader&) const = default;
};

std::array<std::uint8_t, kYamuxHeaderSize> encode_yamux_header(const YamuxHeader& header);

/// Errors (Cause::protocol): another version than 0, told from the first byte on, and an unknown type.
Decode<YamuxHeader> decode_yamux_header(Bytes bytes);

}  // namespace gost
