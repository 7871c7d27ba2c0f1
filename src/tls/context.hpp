// What the contexts of both sides have in common: versions, ciphers, modes, and trust.
#pragma once

#include "core/error.hpp"
#include "tls/certificate.hpp"
#include "tls/openssl.hpp"
#include "tls/options.hpp"

#include <string>
#include <vector>

namespace gost::tls {

/// The part of the options that is checked once and applied to the context of every loop.
struct Protocol {
  Version min_version;
  Version max_version;
  CipherNames ciphers;
  std::string alpn;  ///< as on the wire; empty: none
  bool kernel;       ///< it is to have the keys, and can

  /// From the options of either side. Errors: Cause::invalid for what cannot be.
  template <class Options>
  static Result<Protocol> make(const Options& options) {
    return make(options.min_version, options.max_version, options.cipher_suites, options.alpn, options.kernel);
  }

 private:
  static Result<Protocol> make(Version min_version, Version max_version,
                               const std::vector<std::string>& cipher_suites, const std::vector<std::string>& alpn,
                               bool kernel);
};

/// A context with everything that does not depend on the side. Errors: no cipher suite is left.
Result<SslContextPtr> new_context(const SSL_METHOD* method, const Protocol& protocol);

/// Shows `identity` to peers. Errors: OpenSSL refuses it (a key that is too short).
Result<> use_identity(SSL_CTX& context, const Identity& identity);

/// The certificates to trust. Errors name the file.
Result<std::vector<X509Ptr>> load_authorities(const std::string& ca_file);
StorePtr store_of(const std::vector<X509Ptr>& certificates);
/// The system's certificates, all in memory: nothing is read from the disk during a handshake.
Result<StorePtr> system_store();

/// Lets peers verify against `store`. A certificate that is in it is trusted even if it is no CA, as Go does.
void trust(SSL_CTX& context, X509_STORE& store);

/// Why a chain was not accepted, for the peer's own certificate `leaf`; `code` is X509_V_ERR_….
Error explain_verification(const X509_STORE_CTX& verification, const X509& leaf, bool of_server,
                           const std::string& name);

}  // namespace gost::tls
