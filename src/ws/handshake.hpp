// What is said in the opening handshake, both ends, without I/O (RFC 6455 §4, wire.md §10.1, §10.2).
#pragma once

#include "core/address.hpp"
#include "ws/options.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gost::ws {

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string accept_key(std::string_view key);

// --- the client's end ---

/// A fresh Sec-WebSocket-Key.
std::string make_key();
/// The request, in the order in which GOST sends its fields.
std::string make_request(const ClientOptions& options, std::string_view key);
struct Agreed {
  bool compression = false;
};
/// Whether `answer` accepts the request with this key, and what was agreed upon. Errors (Cause::protocol) say what
/// the server answered and what to look at.
Result<Agreed> check_answer(const ResponseHead& answer, const ClientOptions& options, std::string_view key);

// --- the server's end ---

struct Acceptance {
  std::string answer;  ///< the whole 101
  bool compression = false;
};
/// Why a request is not accepted.
struct Refusal {
  unsigned status;
  std::string why;  ///< for the log; has little of what the client wrote
};
std::expected<Acceptance, Refusal> answer_request(const RequestHead& request, const ServerOptions& options);
/// The answer to a client that is refused: an ordinary HTTP response, after which the connection is closed.
std::string refusal_answer(const Refusal& refusal);

/// The client's address in the words of the proxies in front of us: the last address in X-Forwarded-For that is not
/// itself a trusted proxy's, else X-Real-Ip, else CF-Connecting-IP. X-Forwarded-For comes first, since a proxy adds
/// to it, whereas the others it may just pass on from the client. Nothing if `peer`, the other end of the connection,
/// is not to be trusted, or they say nothing that is an address.
std::optional<IpAddress> forwarded_client(const RequestHead& request, const IpAddress& peer, const IpRanges& trusted);

}  // namespace gost::ws
