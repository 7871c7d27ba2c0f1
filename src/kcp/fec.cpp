#include "kcp/fec.hpp"

#include "kcp/little_endian.hpp"

namespace gost::kcp {

PacketKind packet_kind(Bytes packet) {
  if (packet.size() < kFecHeader) return PacketKind::malformed;
  auto type = load_le<std::uint16_t>(packet.data() + 4);
  if (type == kFecParity) return PacketKind::parity;
  if (type != kFecData) return PacketKind::segments;
  auto size = load_le<std::uint16_t>(packet.data() + kFecSequence);
  return size == packet.size() - kFecSequence ? PacketKind::data : PacketKind::malformed;
}

std::uint32_t fec_sequence(Bytes packet) {
  return load_le<std::uint32_t>(packet.data());
}

}  // namespace gost::kcp
