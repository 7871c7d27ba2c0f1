// Fingerprint: the SHA-256 of a certificate, by which a client can pin it.
#pragma once

#include "core/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

struct x509_st;

namespace gost::tls {

struct Fingerprint {
  std::array<std::uint8_t, 32> sha256{};

  /// The canonical form: "sha256:" and 64 lower-case digits.
  std::string to_string() const;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// Of the whole certificate in DER form, as `openssl x509 -fingerprint -sha256` prints it.
Fingerprint fingerprint_of(const x509_st& certificate);

/// 64 hexadecimal digits in either case, with or without colons between the bytes and "sha256:" in front. Errors:
/// Cause::invalid with a sentence that shows the form.
Result<Fingerprint> parse_fingerprint(std::string_view text);

}  // namespace gost::tls
