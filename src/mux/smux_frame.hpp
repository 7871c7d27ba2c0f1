// Frames of smux (wire.md §6.1): a header of 8 bytes, little endian, and a payload.
//
// A FIN ends both directions of a stream, as up to smux 1.5.54. Two of this program can also end one. Every smux
// sends the stream id 0 in a NOP and ignores the one that it receives, so here it has a meaning:
//   0       a sign of life
//   1       never the id of a stream (§6.3): "I understand half-closes", said once, in answer to the peer's first SYN
//           or to its own such NOP; so who opens streams says nothing to another smux
//   others  "I send no more on this stream, and read on", only to a peer that has said so
#pragma once

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace gost {

inline constexpr std::size_t kSmuxHeaderSize = 8;
inline constexpr std::size_t kSmuxUpdateSize = 8;  ///< payload of UPD
inline constexpr std::size_t kSmuxMaxPayload = 65535;

/// The stream id of the NOP that says so.
inline constexpr std::uint32_t kSmuxHalfCloses = 1;

enum class SmuxCommand : std::uint8_t {
  syn,  ///< opens a stream
  fin,  ///< the sender of it has ended the stream
  psh,  ///< bytes of a stream
  nop,  ///< a sign of life, or one of the two signs above
  upd,  ///< version 2: how far the receiver is, and its window
};

struct SmuxHeader {
  std::uint8_t version = 1;
  SmuxCommand command = SmuxCommand::nop;
  std::uint16_t length = 0;  ///< bytes of payload
  std::uint32_t stream = 0;

  bool operator==(const SmuxHeader&) const = default;
};

/// Payload of UPD. Both values are absolute.
struct SmuxUpdate {
  std::uint32_t consumed = 0;  ///< bytes read from the stream since its start, modulo 2^32
  std::uint32_t window = 0;    ///< so many may be on their way beyond these

  bool operator==(const SmuxUpdate&) const = default;
};

std::array<std::uint8_t, kSmuxHeaderSize> encode_smux_header(const SmuxHeader& header);

/// A whole UPD frame.
std::array<std::uint8_t, kSmuxHeaderSize + kSmuxUpdateSize> encode_smux_update(std::uint8_t version,
                                                                               std::uint32_t stream,
                                                                               const SmuxUpdate& update);

/// A header of a session of `version`. Errors (Cause::protocol): another version, told from the first byte on, and an
/// unknown command (§6.2).
Decode<SmuxHeader> decode_smux_header(Bytes bytes, std::uint8_t version);

/// The payload of an UPD, whatever its header says about the length (§6.2).
Decode<SmuxUpdate> decode_smux_update(Bytes bytes);

}  // namespace gost
