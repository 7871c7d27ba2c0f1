// Errors are values: a machine-readable cause and a sentence for the person who reads the log.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gost {

/// What went wrong, as far as anybody decides something by it: which SOCKS reply to send, whether to retry, which log
/// level to use.
enum class Cause : std::uint8_t {
  other,
  canceled,             ///< the owner of the operation stopped it
  timeout,              ///< a deadline passed
  eof,                  ///< the peer ended the stream
  reset,                ///< the peer or the network broke the connection
  refused,              ///< the target actively refused
  host_unreachable,     ///< no route to the host, or its name does not exist
  network_unreachable,  ///< no route to the network
  address_type,         ///< the kind of address is not supported
  command,              ///< the command is not supported
  denied,               ///< a rule forbids it
  auth,                 ///< credentials missing or wrong
  protocol,             ///< the peer speaks something else, or speaks it wrongly
  exhausted,            ///< out of descriptors, memory or another bounded resource
  invalid,              ///< a configuration or an argument that makes no sense
};

/// The cause's name as it stands in the source, for logs and tests.
std::string_view to_string(Cause cause);

struct Error {
  Cause cause = Cause::other;
  std::string text;

  /// An error from `errno` (or another system error number), worded as Go words it: "context: connection refused".
  static Error system(int number, std::string_view context = {});

  /// The same error with "what: " in front of its text.
  Error in(std::string_view what) const;
};

/// The system's sentence for an error number in the form that Go prints ("connection refused", "i/o timeout").
std::string system_text(int number);

/// The cause that an error number stands for.
Cause system_cause(int number);

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(Cause::protocol, "bad version");`
inline std::unexpected<Error> fail(Cause cause, std::string text) {
  return std::unexpected(Error{cause, std::move(text)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace gost
