// What can be configured about TLS, and Go's names for it.
#pragma once

#include "core/error.hpp"
#include "tls/fingerprint.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::tls {

struct Identity;

/// A protocol version; the values are those on the wire.
enum class Version : std::uint16_t { tls10 = 0x0301, tls11 = 0x0302, tls12 = 0x0303, tls13 = 0x0304 };

/// Of one of our ends as a server (wire.md §3.2).
struct TlsServerOptions {
  std::string cert_file;  ///< PEM: the certificate, then those that lead to its CA; none: `default_certificate`
  std::string key_file;   ///< PEM; none: the key stands in `cert_file` too
  std::string ca_file;    ///< PEM; if set, clients must show a certificate of one of these CAs
  Version min_version = Version::tls12;
  Version max_version = Version::tls13;
  std::vector<std::string> cipher_suites;  ///< Go's names; none: the default
  std::vector<std::string> alpn;           ///< in order of preference; none: not negotiated
  bool kernel = true;                      ///< hand the keys to the kernel, where it and OpenSSL offer that (kTLS)
  bool compulsory = false;                 ///< where TLS is negotiated: clients that do not offer it are refused
  bool reject_unknown_sni = false;         ///< no handshake without a name or with one that is not ours
  std::vector<std::string>
      server_names;  ///< what is ours; "*.x" is any name below x; none: the names in the certificate
  std::shared_ptr<const Identity>
      default_certificate;  ///< what is shown without `cert_file` (default_certificate.hpp)
};

/// Of one of our ends as a client (wire.md §3.3).
struct TlsClientOptions {
  std::string ca_file;      ///< PEM; the CAs to trust; if set, the chain is verified even if not `secure`
  std::string cert_file;    ///< our own certificate, for servers that ask for one
  std::string key_file;     ///< none: the key stands in `cert_file` too
  std::string server_name;  ///< SNI and the name that is verified; none: the host of the node
  bool secure = false;      ///< verify the chain (the system's CAs without `ca_file`) and the name
  std::optional<Fingerprint> fingerprint;  ///< accept exactly this certificate; nothing else is looked at then
  Version min_version = Version::tls12;
  Version max_version = Version::tls13;
  std::vector<std::string> cipher_suites;
  std::vector<std::string> alpn;
  bool kernel = true;
};

/// "VersionTLS10" to "VersionTLS13", in any case. Errors: Cause::invalid, a sentence with the names.
Result<Version> parse_version(std::string_view name);

/// Cipher suites as OpenSSL takes them: names separated by ':'. Empty: the default of that version.
struct CipherNames {
  std::string up_to_tls12;
  std::string tls13;
};

/// From Go's names, in any case ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"). Errors:
/// Cause::invalid; unknown names get the nearest known one, RC4 and 3DES are refused as broken.
Result<CipherNames> parse_cipher_suites(const std::vector<std::string>& names);

/// The form of ALPN on the wire: each protocol behind its length. Errors: Cause::invalid if one is empty or longer
/// than 255 bytes, or all are longer than 65535.
Result<std::string> encode_alpn(const std::vector<std::string>& protocols);

}  // namespace gost::tls
