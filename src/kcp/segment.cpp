#include "kcp/segment.hpp"

namespace gost::kcp {

namespace {

void put_u16(std::uint8_t* into, std::uint16_t value) {
  into[0] = static_cast<std::uint8_t>(value);
  into[1] = static_cast<std::uint8_t>(value >> 8);
}

void put_u32(std::uint8_t* into, std::uint32_t value) {
  put_u16(into, static_cast<std::uint16_t>(value));
  put_u16(into + 2, static_cast<std::uint16_t>(value >> 16));
}

std::uint16_t get_u16(Bytes from, std::size_t at) {
  return static_cast<std::uint16_t>(from[at] | from[at + 1] << 8);
}

std::uint32_t get_u32(Bytes from, std::size_t at) {
  return get_u16(from, at) | std::uint32_t{get_u16(from, at + 2)} << 16;
}

}  // namespace

void encode_header(const Segment& segment, MutableBytes into) {
  std::uint8_t* at = into.first(kSegmentHeader).data();
  put_u32(at, segment.conversation);
  at[4] = static_cast<std::uint8_t>(segment.command);
  at[5] = segment.fragment;
  put_u16(at + 6, segment.window);
  put_u32(at + 8, segment.timestamp);
  put_u32(at + 12, segment.number);
  put_u32(at + 16, segment.una);
  put_u32(at + 20, static_cast<std::uint32_t>(segment.data.size()));
}

std::optional<Segment> take_segment(Bytes& packet) {
  if (packet.size() < kSegmentHeader) return std::nullopt;
  const std::uint8_t command = packet[4];
  const std::size_t length = get_u32(packet, 20);
  if (command < static_cast<std::uint8_t>(Command::push) || command > static_cast<std::uint8_t>(Command::tell))
    return std::nullopt;
  if (length > packet.size() - kSegmentHeader) return std::nullopt;
  Segment segment{.conversation = get_u32(packet, 0),
                  .command = static_cast<Command>(command),
                  .fragment = packet[5],
                  .window = get_u16(packet, 6),
                  .timestamp = get_u32(packet, 8),
                  .number = get_u32(packet, 12),
                  .una = get_u32(packet, 16),
                  .data = packet.subspan(kSegmentHeader, length)};
  packet = packet.subspan(kSegmentHeader + length);
  return segment;
}

}  // namespace gost::kcp
