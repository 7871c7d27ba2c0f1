// The header that error correction puts in front of KCP's segments (wire.md §12.4).
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <optional>

namespace gost::kcp {

/// SEQID(4) TYPE(2) of every packet, and SIZE(2) of a data packet.
inline constexpr std::size_t kFecSequence = 6;
inline constexpr std::size_t kFecHeader = 8;
inline constexpr std::uint16_t kFecData = 0x00f1;
inline constexpr std::uint16_t kFecParity = 0x00f2;

/// What an opened packet is. Where KCP has its command, 0x51 to 0x54, the other two have 0xf1 and 0xf2.
enum class PacketKind : std::uint8_t {
  segments,  ///< KCP's segments without error correction
  data,      ///< a FEC header, then segments
  parity,
  malformed,  ///< too short, or its SIZE lies
};

/// `packet` is what open() returned.
PacketKind packet_kind(Bytes packet);
/// The segments of a packet of the kind `segments` or `data`.
inline Bytes packet_segments(Bytes packet, PacketKind kind) {
  return kind == PacketKind::data ? packet.subspan(kFecHeader) : packet;
}
/// Of a packet of the kind `data` or `parity`.
std::uint32_t fec_sequence(Bytes packet);
/// The first sequence number that is never used: from there the numbers begin at 0 again. `shards`: of a group, data
/// and parity.
constexpr std::uint32_t fec_wrap(std::size_t shards) {
  return static_cast<std::uint32_t>(0xffffffffU / shards * shards);
}

}  // namespace gost::kcp
