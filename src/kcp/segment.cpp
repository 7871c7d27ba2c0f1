#include "kcp/segment.hpp"

#include "kcp/little_endian.hpp"

namespace gost::kcp {

void encode_header(const Segment& segment, MutableBytes into) {
  std::uint8_t* at = into.first(kSegmentHeader).data();
  store_le(at, segment.conversation);
  at[4] = static_cast<std::uint8_t>(segment.command);
  at[5] = segment.fragment;
  store_le(at + 6, segment.window);
  store_le(at + 8, segment.timestamp);
  store_le(at + 12, segment.number);
  store_le(at + 16, segment.una);
  store_le(at + 20, static_cast<std::uint32_t>(segment.data.size()));
}

std::optional<Segment> take_segment(Bytes& packet) {
  if (packet.size() < kSegmentHeader) return std::nullopt;
  const std::uint8_t command = packet[4];
  const std::size_t length = load_le<std::uint32_t>(packet.data() + 20);
  if (command < static_cast<std::uint8_t>(Command::push) || command > static_cast<std::uint8_t>(Command::tell))
    return std::nullopt;
  if (length > packet.size() - kSegmentHeader) return std::nullopt;
  Segment segment{.conversation = load_le<std::uint32_t>(packet.data()),
                  .command = static_cast<Command>(command),
                  .fragment = packet[5],
                  .window = load_le<std::uint16_t>(packet.data() + 6),
                  .timestamp = load_le<std::uint32_t>(packet.data() + 8),
                  .number = load_le<std::uint32_t>(packet.data() + 12),
                  .una = load_le<std::uint32_t>(packet.data() + 16),
                  .data = packet.subspan(kSegmentHeader, length)};
  packet = packet.subspan(kSegmentHeader + length);
  return segment;
}

}  // namespace gost::kcp
