#include "mux/yamux_frame.hpp"

namespace gost {

namespace {

constexpr std::uint8_t kVersion = 0;

void put_u16(MutableBytes into, std::uint16_t value) {
  into[0] = static_cast<std::uint8_t>(value >> 8);
  into[1] = static_cast<std::uint8_t>(value);
}

void put_u32(MutableBytes into, std::uint32_t value) {
  put_u16(into, static_cast<std::uint16_t>(value >> 16));
  put_u16(into.subspan(2), static_cast<std::uint16_t>(value));
}

std::uint16_t get_u16(Bytes from) {
  return static_cast<std::uint16_t>(from[0] << 8 | from[1]);
}

std::uint32_t get_u32(Bytes from) {
  return std::uint32_t{get_u16(from)} << 16 | get_u16(from.subspan(2));
}

}  // namespace

std::array<std::uint8_t, kYamuxHeaderSize> encode_yamux_header(const YamuxHeader& header) {
  std::array<std::uint8_t, kYamuxHeaderSize> bytes;
  MutableBytes into(bytes);
  bytes[0] = kVersion;
  bytes[1] = static_cast<std::uint8_t>(header.type);
  put_u16(into.subspan(2), header.flags);
  put_u32(into.subspan(4), header.stream);
  put_u32(into.subspan(8), header.length);
  return bytes;
}

Decode<YamuxHeader> decode_yamux_header(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion) {
    return Error{Cause::protocol, "yamux: the peer speaks version " + std::to_string(bytes[0]) +
                                      ", not 0 (mux.type must be the same at both ends)"};
  }
  if (bytes.size() < kYamuxHeaderSize) return NeedMore{kYamuxHeaderSize - bytes.size()};
  if (bytes[1] > static_cast<std::uint8_t>(YamuxType::go_away))
    return Error{Cause::protocol, "yamux: unknown type of frame " + std::to_string(bytes[1])};
  return YamuxHeader{static_cast<YamuxType>(bytes[1]), get_u16(bytes.subspan(2)), get_u32(bytes.subspan(4)),
                     get_u32(bytes.subspan(8))};
}

}  // namespace gost
