#include "tls/fingerprint.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "tls/openssl.hpp"

#include <algorithm>

namespace gost::tls {

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kDigits = 64;

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The digits alone: either no colon at all, or one behind every byte but the last. Empty if it is neither.
std::string digits_of(std::string_view text) {
  if (text.size() == kDigits) return std::ranges::all_of(text, is_hex_digit) ? std::string(text) : "";
  if (text.size() != kDigits + kDigits / 2 - 1) return "";
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_hex_digit(text[i])) return "";
    if (i % 3 != 2) digits += text[i];
  }
  return digits;
}

}  // namespace

std::string Fingerprint::to_string() const {
  return std::string(kPrefix) + to_hex(sha256);
}

Fingerprint fingerprint_of(const x509_st& certificate) {
  Fingerprint fingerprint;
  X509_digest(&certificate, EVP_sha256(), fingerprint.sha256.data(), nullptr);
  return fingerprint;
}

Result<Fingerprint> parse_fingerprint(std::string_view text) {
  std::string_view hex = text;
  if (hex.size() >= kPrefix.size() && iequals(hex.substr(0, kPrefix.size()), kPrefix))
    hex.remove_prefix(kPrefix.size());
  auto bytes = from_hex(digits_of(hex));
  Fingerprint fingerprint;
  if (!bytes || bytes->size() != fingerprint.sha256.size())
    return fail(Cause::invalid, "fingerprint \"" + std::string(text.substr(0, 120)) +
                                    "\": expected sha256: and 64 hexadecimal digits, as in "
                                    "sha256:3a7f... or sha256:3A:7F:...");
  std::ranges::copy(*bytes, fingerprint.sha256.begin());
  return fingerprint;
}

}  // namespace gost::tls
