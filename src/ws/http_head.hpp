// Heads of HTTP/1.1 messages: what a WebSocket handshake consists of (RFC 9112 §2, §3, §5).
#pragma once

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::ws {

/// A longer head is refused.
inline constexpr std::size_t kMaxHttpHead = std::size_t{16} * 1024;

struct HttpField {
  std::string name;
  std::string value;
  friend bool operator==(const HttpField&, const HttpField&) = default;
};

class HttpFields {
 public:
  std::vector<HttpField> all;

  /// How many there are of this name, whatever its case.
  std::size_t count(std::string_view name) const;
  /// The value of the first one; empty if there is none.
  std::string_view first(std::string_view name) const;
  /// The values of all of them, separated by commas as RFC 9110 §5.3 allows.
  std::string joined(std::string_view name) const;
  /// Whether one of them has this token in its list, whatever the case.
  bool has_token(std::string_view name, std::string_view token) const;
};

struct RequestHead {
  std::string method;
  std::string target;  ///< as sent
  int version = 11;    ///< 10 or 11
  HttpFields fields;
};

struct ResponseHead {
  unsigned status = 0;
  std::string reason;
  HttpFields fields;
};

/// Where the head at the front of `bytes` ends: behind its empty line. Of them `searched` are known to have no end.
/// Errors (Cause::protocol): no message of HTTP can begin so, or there is no end within kMaxHttpHead.
Decode<std::size_t> find_head_end(Bytes bytes, std::size_t searched = 0);

/// `head` is one whole head, with its empty line. Errors (Cause::protocol): what is wrong with it. Strict: no bare
/// line feeds, no control characters, no blanks before a colon, one meaning of each length.
Result<RequestHead> parse_request_head(Bytes head);
Result<ResponseHead> parse_response_head(Bytes head);

/// Whether this can be the name of a field (a token, RFC 9110 §5.6.2).
bool is_field_name(std::string_view name);
/// Whether this can be its value: nothing in it ends the line, or is another control character.
bool is_field_value(std::string_view value);
/// "x-real-ip" as "X-Real-Ip": the form in which Go sends names.
std::string canonical_field_name(std::string_view name);

}  // namespace gost::ws
