// The head of a WebSocket frame and the masking of its payload (RFC 6455 §5.2, §5.3).
#pragma once

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gost::ws {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

/// Which end we are: a client masks what it sends, a server does not.
enum class Role : std::uint8_t { client, server };

using MaskKey = std::array<std::uint8_t, 4>;

inline constexpr std::size_t kMaxFrameHead = 14;
inline constexpr std::size_t kMaxControlPayload = 125;

struct FrameHeader {
  Opcode opcode = Opcode::binary;
  bool fin = true;
  bool rsv1 = false;  ///< the message is compressed (RFC 7692 §6)
  bool masked = false;
  MaskKey key{};
  std::uint64_t length = 0;  ///< of the payload, less than 2^63
};

/// The head's bytes.
struct FrameHead {
  std::array<std::uint8_t, kMaxFrameHead> bytes;
  std::uint8_t size = 0;

  Bytes view() const { return Bytes(bytes).first(size); }
};
FrameHead encode_frame_head(const FrameHeader& header);

struct DecodedFrameHead {
  FrameHeader header;
  std::size_t size;  ///< of the head
};
/// Errors (Cause::protocol), in the words that GOST sends as the reason of its Close: "RSV2 set", "bad opcode 3",
/// "len > 125 for control", "FIN not set on control"; a length that is longer than it need be, or over 63 bits. Found
/// as soon as the bytes that show them are there.
Decode<DecodedFrameHead> decode_frame_head(Bytes bytes);

/// Applies `key` to payload whose first byte is number `offset` of its frame; masking and unmasking are the same.
void mask(MutableBytes bytes, const MaskKey& key, std::uint64_t offset);
/// The same from one place to another; they must not overlap.
void mask_into(std::uint8_t* to, Bytes from, const MaskKey& key, std::uint64_t offset);

/// The code of a Close frame's payload; nothing if it is empty. Errors: "bad close code 1005", "bad close payload"
/// (§5.5.1, §7.4).
Result<std::optional<std::uint16_t>> parse_close(Bytes payload);

}  // namespace gost::ws
