// SOCKS4 and SOCKS4a messages (wire.md §1): pure functions on bytes.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <array>
#include <string>

namespace gost::socks4 {

inline constexpr std::uint8_t kVersion = 4;

enum class Command : std::uint8_t { connect = 1, bind = 2 };

enum class Reply : std::uint8_t {
  granted = 0x5a,
  failed = 0x5b,         ///< the target cannot be reached
  rejected = 0x5c,       ///< a rule forbids it
  user_rejected = 0x5d,  ///< the user id is not accepted
};

struct Request {
  Command command = Command::connect;
  Endpoint target;  ///< with 4a the host is the name as sent, possibly empty
  std::string user_id;

  friend bool operator==(const Request&, const Request&) = default;
};

/// The longest user id and the longest 4a name; one byte more is an error, as in GOST.
inline constexpr std::size_t kMaxText = 255;
/// No request is longer than this.
inline constexpr std::size_t kMaxRequest = 8 + 2 * (kMaxText + 1);

/// Decodes a prefix of what the client sent. Errors: Cause::protocol.
Decode<Request> decode_request(Bytes bytes);

/// Encodes a request. A name, and an IPv6 literal, travels in the 4a form (DSTIP 0.0.0.1); a dotted IPv4 host as an
/// address. Errors: Cause::invalid for a text that is too long or contains a NUL byte.
Result<std::vector<std::uint8_t>> encode_request(const Request& request);

/// The server's answer. Port and address are zero but for BIND (GOST leaves it out), where they say where the server
/// listens and then who came; an address that is not IPv4 is written as 0.0.0.0.
std::array<std::uint8_t, 8> encode_reply(Reply reply, const SocketAddress& address = {});

}  // namespace gost::socks4
