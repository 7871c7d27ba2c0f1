#include "ws/frame.hpp"

#include <bit>
#include <cstring>
#include <string>

namespace gost::ws {

namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kRsv2 = 0x20;
constexpr std::uint8_t kRsv3 = 0x10;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

bool is_known(std::uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

std::optional<std::string> broken_rule(std::uint8_t first, std::uint8_t length) {
  if ((first & kRsv2) != 0) return "RSV2 set";
  if ((first & kRsv3) != 0) return "RSV3 set";
  const std::uint8_t opcode = first & 0x0F;
  if (!is_known(opcode)) return "bad opcode " + std::to_string(opcode);
  if (opcode < 8) return std::nullopt;
  if (length > kMaxControlPayload) return "len > 125 for control";
  if ((first & kFin) == 0) return "FIN not set on control";
  return std::nullopt;
}

/// Eight bytes of the key, beginning with the one that belongs to byte number `offset`.
std::uint64_t wide_key(const MaskKey& key, std::uint64_t offset) {
  std::array<std::uint8_t, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  return std::bit_cast<std::uint64_t>(turned);
}

}  // namespace

FrameHead encode_frame_head(const FrameHeader& header) {
  FrameHead head;
  auto put = [&head](std::uint64_t byte) { head.bytes[head.size++] = static_cast<std::uint8_t>(byte); };
  auto put_number = [&put](std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) put(number >> shift & 0xFF);
  };
  const std::uint8_t masked = header.masked ? kMasked : 0;
  put((header.fin ? kFin : 0U) | (header.rsv1 ? kRsv1 : 0U) | static_cast<std::uint8_t>(header.opcode));
  if (header.length < kLength16) {
    put(masked | header.length);
  } else if (header.length <= 0xFFFF) {
    put(masked | kLength16);
    put_number(header.length, 2);
  } else {
    put(masked | kLength64);
    put_number(header.length, 8);
  }
  if (header.masked)
    for (std::uint8_t byte : header.key) put(byte);
  return head;
}

Decode<DecodedFrameHead> decode_frame_head(Bytes bytes) {
  if (bytes.size() < 2) return NeedMore{2 - bytes.size()};
  const std::uint8_t length = bytes[1] & 0x7F;
  if (auto broken = broken_rule(bytes[0], length)) return Error{Cause::protocol, std::move(*broken)};

  DecodedFrameHead decoded;
  FrameHeader& header = decoded.header;
  header.opcode = static_cast<Opcode>(bytes[0] & 0x0F);
  header.fin = (bytes[0] & kFin) != 0;
  header.rsv1 = (bytes[0] & kRsv1) != 0;
  header.masked = (bytes[1] & kMasked) != 0;
  const std::size_t extra = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
  decoded.size = 2 + extra + (header.masked ? header.key.size() : 0);
  if (bytes.size() < decoded.size) return NeedMore{decoded.size - bytes.size()};

  header.length = length;
  if (extra > 0) {
    header.length = 0;
    for (std::size_t i = 0; i < extra; ++i) header.length = header.length << 8 | bytes[2 + i];
    if (header.length >> 63 != 0) return Error{Cause::protocol, "length over 63 bits"};
    if (header.length < kLength16 || (extra == 8 && header.length <= 0xFFFF))
      return Error{Cause::protocol, "length not in its shortest form"};
  }
  if (header.masked) std::memcpy(header.key.data(), &bytes[2 + extra], header.key.size());
  return decoded;
}

void mask(MutableBytes bytes, const MaskKey& key, std::uint64_t offset) {
  const std::uint64_t wide = wide_key(key, offset);
  std::uint8_t* at = bytes.data();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, at + i, 8);
    word ^= wide;
    std::memcpy(at + i, &word, 8);
  }
  for (; i < bytes.size(); ++i) at[i] ^= key[(offset + i) % key.size()];
}

void mask_into(std::uint8_t* __restrict to, Bytes from, const MaskKey& key, std::uint64_t offset) {
  const std::uint64_t wide = wide_key(key, offset);
  const std::uint8_t* __restrict source = from.data();
  std::size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, source + i, 8);
    word ^= wide;
    std::memcpy(to + i, &word, 8);
  }
  for (; i < from.size(); ++i) to[i] = source[i] ^ key[(offset + i) % key.size()];
}

Result<std::optional<std::uint16_t>> parse_close(Bytes payload) {
  if (payload.empty()) return std::nullopt;
  if (payload.size() == 1) return fail(Cause::protocol, "bad close payload");
  const auto code = static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
  // 1004 to 1006 and 1015 never travel; up to 2999 the protocol's own, of which 1014 is the last that is given out.
  const bool good =
      (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  if (!good) return fail(Cause::protocol, "bad close code " + std::to_string(code));
  return code;
}

}  // namespace gost::ws
