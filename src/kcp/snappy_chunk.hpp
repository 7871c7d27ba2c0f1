// The chunks of snappy's framing format (wire.md §12.8; "Snappy framing format description", version 1).
#pragma once

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <array>
#include <cstddef>

namespace gost::kcp {

inline constexpr std::size_t kSnappyHeader = 4;    ///< type, length of what follows
inline constexpr std::size_t kSnappyChecksum = 4;  ///< in front of data
/// Payload of a chunk at most, and what that may become compressed.
inline constexpr std::size_t kSnappyMostPlain = 65536;
inline constexpr std::size_t kSnappyMostBody = kSnappyChecksum + 32 + kSnappyMostPlain + kSnappyMostPlain / 6;
/// What a stream begins with.
inline constexpr std::array<std::uint8_t, 10> kSnappyIdentifier{0xff, 0x06, 0x00, 0x00, 's', 'N', 'a', 'P', 'p', 'Y'};

struct SnappyHeader {
  std::uint8_t type = 0;
  std::size_t size = 0;  ///< of what follows
};
/// How a reader goes on behind a header.
enum class SnappyKind : std::uint8_t { compressed, plain, identifier, skip };

/// The header in the first kSnappyHeader bytes.
SnappyHeader decode_snappy_header(Bytes bytes);
/// What the chunk is. `first`: it is the first of the stream. Errors (Cause::protocol): a stream that does not begin
/// with the identifier, a type that must not be skipped, a size that no chunk of its kind has.
Result<SnappyKind> snappy_kind(SnappyHeader header, bool first);

/// Errors (Cause::protocol): `body` is not that of an identifier.
Result<> check_snappy_identifier(Bytes body);

/// Bytes of payload in a chunk of the kind `compressed` or `plain`, at most kSnappyMostPlain. `body` is what follows
/// the header. Errors (Cause::protocol): malformed, or more than is allowed.
Result<std::size_t> snappy_plain_size(SnappyKind kind, Bytes body);
/// Writes the payload to `into`, which has the size that snappy_plain_size() told. Errors (Cause::protocol): the body
/// is malformed or its checksum wrong; then `into` is worthless.
Result<> decode_snappy_chunk(SnappyKind kind, Bytes body, MutableBytes into);

/// A chunk of the type "uncompressed" around `plain` (at most kSnappyMostPlain bytes); the bytes written to `into`,
/// which has room for plain.size() + kSnappyHeader + kSnappyChecksum.
std::size_t encode_plain_chunk(Bytes plain, MutableBytes into);
/// Room that encode_snappy_chunk() needs.
std::size_t snappy_room(std::size_t plain);
struct SnappyEncoded {
  std::size_t size;  ///< bytes written
  bool compressed;   ///< it was worth it
};
/// A chunk around `plain`, compressed if that saves at least an eighth.
SnappyEncoded encode_snappy_chunk(Bytes plain, MutableBytes into);

}  // namespace gost::kcp
