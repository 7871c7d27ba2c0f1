// URLs as Go's net/url reads them (RFC 3986 with Go's tolerances), as far as -L, -F, -api and -metrics need it.
#pragma once

#include "core/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::config {

struct UserInfo {
  std::string username;
  std::string password;
};

struct Url {
  std::string scheme;  ///< lower case
  std::optional<UserInfo> user;
  std::string host;  ///< host and port, percent-decoded
  std::string path;  ///< still percent-encoded
  /// Decoded pairs; of a repeated key only the first value, in the order of the text.
  std::vector<std::pair<std::string, std::string>> query;
  /// Pieces of the query that Go drops without a word: with a ';' or a broken escape.
  std::vector<std::string> dropped;

  /// The host without port and brackets.
  std::string hostname() const;
};

/// Errors read as Go's: `parse "socks5://h:x": invalid port ":x" after host`.
Result<Url> parse_url(std::string_view text);

/// Go's %q for text: quoted, with escapes for quotes, backslashes and control characters.
std::string go_quote(std::string_view text);

}  // namespace gost::config
