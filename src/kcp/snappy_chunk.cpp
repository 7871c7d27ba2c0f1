#include "kcp/snappy_chunk.hpp"

#include "kcp/little_endian.hpp"

#include <isa-l/crc.h>
#include <snappy.h>

#include <algorithm>
#include <string>

namespace gost::kcp {

namespace {

constexpr std::uint8_t kCompressed = 0x00;
constexpr std::uint8_t kPlain = 0x01;
constexpr std::uint8_t kFirstSkippable = 0x80;
constexpr std::uint8_t kIdentifier = 0xff;
constexpr std::size_t kDataHeader = kSnappyHeader + kSnappyChecksum;

/// CRC-32C, masked, because a CRC over data that contain CRCs is worth little.
std::uint32_t checksum(Bytes bytes) {
  std::uint32_t crc = ~crc32_iscsi(const_cast<std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()), ~0U);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

std::unexpected<Error> broken(std::string text) {
  return fail(Cause::protocol, "snappy: " + std::move(text) + " (is kcp.nocomp the same at both ends?)");
}

/// Writes what precedes `size` bytes of a body.
void write_header(MutableBytes into, std::uint8_t type, std::size_t size, std::uint32_t crc) {
  store_le(into.data(), static_cast<std::uint32_t>((size + kSnappyChecksum) << 8 | type));
  store_le(into.data() + kSnappyHeader, crc);
}

char* text(std::uint8_t* bytes) {
  return reinterpret_cast<char*>(bytes);
}
const char* text(const std::uint8_t* bytes) {
  return reinterpret_cast<const char*>(bytes);
}

}  // namespace

SnappyHeader decode_snappy_header(Bytes bytes) {
  auto both = load_le<std::uint32_t>(bytes.data());
  return {static_cast<std::uint8_t>(both), both >> 8};
}

Result<SnappyKind> snappy_kind(SnappyHeader header, bool first) {
  if (first && header.type != kIdentifier) return broken("the stream does not begin with its identifier");
  switch (header.type) {
  case kIdentifier:
    if (header.size != kSnappyIdentifier.size() - kSnappyHeader) return broken("malformed stream identifier");
    return SnappyKind::identifier;
  case kCompressed:
    if (header.size <= kSnappyChecksum || header.size > kSnappyMostBody)
      return broken("a compressed chunk of " + std::to_string(header.size) + " bytes");
    return SnappyKind::compressed;
  case kPlain:
    if (header.size < kSnappyChecksum || header.size > kSnappyChecksum + kSnappyMostPlain)
      return broken("an uncompressed chunk of " + std::to_string(header.size) + " bytes");
    return SnappyKind::plain;
  default:
    if (header.type < kFirstSkippable) return broken("unknown chunk type " + to_hex({&header.type, 1}));
    return SnappyKind::skip;
  }
}

Result<> check_snappy_identifier(Bytes body) {
  if (!std::ranges::equal(body, Bytes(kSnappyIdentifier).subspan(kSnappyHeader)))
    return broken("malformed stream identifier");
  return {};
}

Result<std::size_t> snappy_plain_size(SnappyKind kind, Bytes body) {
  Bytes data = body.subspan(kSnappyChecksum);
  if (kind == SnappyKind::plain) return data.size();
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(text(data.data()), data.size(), &size)) return broken("malformed chunk");
  if (size > kSnappyMostPlain)
    return broken("a chunk says that it holds " + std::to_string(size) + " bytes; 65536 are allowed");
  return size;
}

Result<> decode_snappy_chunk(SnappyKind kind, Bytes body, MutableBytes into) {
  Bytes data = body.subspan(kSnappyChecksum);
  if (kind == SnappyKind::plain) {
    std::ranges::copy(data, into.begin());
  } else if (!snappy::RawUncompress(text(data.data()), data.size(), text(into.data()))) {
    return broken("malformed chunk");
  }
  if (load_le<std::uint32_t>(body.data()) != checksum(into)) return broken("wrong checksum of a chunk");
  return {};
}

std::size_t encode_plain_chunk(Bytes plain, MutableBytes into) {
  write_header(into, kPlain, plain.size(), checksum(plain));
  std::ranges::copy(plain, into.subspan(kDataHeader).begin());
  return kDataHeader + plain.size();
}

std::size_t snappy_room(std::size_t plain) {
  return kDataHeader + snappy::MaxCompressedLength(plain);
}

SnappyEncoded encode_snappy_chunk(Bytes plain, MutableBytes into) {
  std::size_t size = 0;
  snappy::RawCompress(text(plain.data()), plain.size(), text(into.data() + kDataHeader), &size);
  if (size >= plain.size() - plain.size() / 8) return {encode_plain_chunk(plain, into), false};
  write_header(into, kCompressed, size, checksum(plain));
  return {kDataHeader + size, true};
}

}  // namespace gost::kcp
