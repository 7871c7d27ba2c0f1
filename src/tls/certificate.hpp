// Certificates and their keys: read from PEM, generated, shown.
#pragma once

#include "core/duration.hpp"
#include "core/error.hpp"
#include "tls/fingerprint.hpp"
#include "tls/openssl.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace gost::tls {

using WallTime = std::chrono::sys_seconds;

/// Now, by the clock that certificates go by.
WallTime wall_now();

/// Who an end is: its certificate, the certificates between that and its CA, and the key.
struct Identity {
  X509Ptr certificate;
  std::vector<X509Ptr> chain;
  KeyPtr key;
};

/// All certificates of a PEM text, in their order. `name` begins every error. Errors (Cause::invalid): none in it,
/// one that is damaged; DER is recognised and the sentence says how to convert it.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& name);

/// The first private key of a PEM text. Errors (Cause::invalid): none in it, damaged, protected by a password.
Result<KeyPtr> parse_key(std::string_view pem, const std::string& name);

/// Reads a certificate with its chain and its key; an empty `key_file` means that the key is in `cert_file`. Errors
/// name the file and what to do, among them a key that does not fit the certificate.
Result<Identity> load_identity(const std::string& cert_file, const std::string& key_file);

struct CertificateOptions {
  std::string common_name = "gost.run";
  std::string organization = "GOST";
  Duration validity = std::chrono::hours(8760);
  WallTime not_before = wall_now();
  std::vector<std::string> names;    ///< DNS names and IP addresses it is for; none: the common name
  bool authority = true;             ///< CA:TRUE
  const Identity* issuer = nullptr;  ///< who signs it; none: itself
};

/// An ECDSA P-256 certificate as GOST generates it (wire.md §3.2). Errors: Cause::invalid for a validity that is not
/// positive or a name that does not fit (a common name has at most 64 bytes).
Result<Identity> generate_certificate(const CertificateOptions& options);

/// The certificate and its chain in PEM; the key as PKCS#8 PEM.
std::string certificate_pem(const Identity& identity);
std::string key_pem(const Identity& identity);

/// The DNS names and IP addresses that a certificate is for: "a.example, *.b.example, 10.0.0.1"; empty if there is
/// none.
std::string names_in(const X509& certificate);

/// "2026-01-31 23:59:59 UTC".
std::string time_text(const ASN1_TIME* time);

/// Whether the certificate's time is over at `when`.
bool expired(const X509& certificate, WallTime when);

/// The first of OpenSSL's queued errors as its own words, empty if there is none; empties the queue.
std::string take_openssl_error();

}  // namespace gost::tls
