// What only a SOCKS4 client needs of the protocol (wire.md §1.4): pure functions on bytes.
#pragma once

#include "socks4/codec.hpp"

namespace gost::socks4 {

inline constexpr std::size_t kReplySize = 8;

/// A request in the 4a form whatever the host is: IP literals travel as text too, as GOST's client sends them. Errors
/// as of encode_request().
Result<std::vector<std::uint8_t>> encode_named_request(const Request& request);

/// The code of an answer, one of Reply's or another. Port and address are ignored. Errors: Cause::protocol if it does
/// not begin with 0.
Decode<Reply> decode_reply(Bytes bytes);

}  // namespace gost::socks4
