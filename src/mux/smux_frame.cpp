#include "mux/smux_frame.hpp"

#include <algorithm>

namespace gost {

namespace {

void put_u16(MutableBytes into, std::uint16_t value) {
  into[0] = static_cast<std::uint8_t>(value);
  into[1] = static_cast<std::uint8_t>(value >> 8);
}

void put_u32(MutableBytes into, std::uint32_t value) {
  put_u16(into, static_cast<std::uint16_t>(value));
  put_u16(into.subspan(2), static_cast<std::uint16_t>(value >> 16));
}

std::uint16_t get_u16(Bytes from) {
  return static_cast<std::uint16_t>(from[0] | from[1] << 8);
}

std::uint32_t get_u32(Bytes from) {
  return get_u16(from) | std::uint32_t{get_u16(from.subspan(2))} << 16;
}

}  // namespace

std::array<std::uint8_t, kSmuxHeaderSize> encode_smux_header(const SmuxHeader& header) {
  std::array<std::uint8_t, kSmuxHeaderSize> bytes;
  bytes[0] = header.version;
  bytes[1] = static_cast<std::uint8_t>(header.command);
  put_u16(MutableBytes(bytes).subspan(2), header.length);
  put_u32(MutableBytes(bytes).subspan(4), header.stream);
  return bytes;
}

std::array<std::uint8_t, kSmuxHeaderSize + kSmuxUpdateSize> encode_smux_update(std::uint8_t version,
                                                                               std::uint32_t stream,
                                                                               const SmuxUpdate& update) {
  std::array<std::uint8_t, kSmuxHeaderSize + kSmuxUpdateSize> bytes;
  std::ranges::copy(encode_smux_header({version, SmuxCommand::upd, kSmuxUpdateSize, stream}), bytes.begin());
  put_u32(MutableBytes(bytes).subspan(kSmuxHeaderSize), update.consumed);
  put_u32(MutableBytes(bytes).subspan(kSmuxHeaderSize + 4), update.window);
  return bytes;
}

namespace {

/// What is wrong if a peer begins its frames with `first`.
std::string hint(std::uint8_t first) {
  switch (first) {
  case 0: return "yamux? mux.type must be the same at both ends";
  case 1:
  case 2: return "mux.version, or kcp.smuxver, must be the same at both ends";
  case 4:
  case 5: return "SOCKS without smux? compare the schemes at both ends";
  case 255: return "snappy? kcp.nocomp must be the same at both ends";
  case 22: return "TLS? compare the schemes at both ends";
  default: return "is it smux? compare the schemes at both ends";
  }
}

}  // namespace

Decode<SmuxHeader> decode_smux_header(Bytes bytes, std::uint8_t version) {
  if (!bytes.empty() && bytes[0] != version) {
    return Error{Cause::protocol, "smux: the peer speaks version " + std::to_string(bytes[0]) + ", not " +
                                      std::to_string(version) + " (" + hint(bytes[0]) + ")"};
  }
  if (bytes.size() < kSmuxHeaderSize) return NeedMore{kSmuxHeaderSize - bytes.size()};
  if (bytes[1] > static_cast<std::uint8_t>(SmuxCommand::upd))
    return Error{Cause::protocol, "smux: unknown command " + std::to_string(bytes[1])};
  return SmuxHeader{bytes[0], static_cast<SmuxCommand>(bytes[1]), get_u16(bytes.subspan(2)),
                    get_u32(bytes.subspan(4))};
}

Decode<SmuxUpdate> decode_smux_update(Bytes bytes) {
  if (bytes.size() < kSmuxUpdateSize) return NeedMore{kSmuxUpdateSize - bytes.size()};
  return SmuxUpdate{get_u32(bytes), get_u32(bytes.subspan(4))};
}

}  // namespace gost
