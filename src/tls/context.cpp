#include "tls/context.hpp"

#include "tls/file.hpp"
#include "tls/kernel_tls.hpp"

#include <openssl/err.h>

#include <array>
#include <cstdlib>

namespace gost::tls {

namespace {

/// As Go's default: forward secrecy everywhere, AEAD first, and AES-128 before AES-256, which has more rounds to pay
/// for.
constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-SHA:"
    "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
constexpr const char* kDefaultTls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// Where distributions keep the certificates of all CAs in one file.
constexpr std::array kSystemFiles{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                  "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                  "/etc/ssl/cert.pem"};

}  // namespace

Result<Protocol> Protocol::make(Version min_version, Version max_version,
                                const std::vector<std::string>& cipher_suites, const std::vector<std::string>& alpn,
                                bool kernel) {
  if (min_version > max_version)
    return fail(Cause::invalid, "tls: minVersion is higher than maxVersion; no connection could be made");
  auto ciphers = parse_cipher_suites(cipher_suites);
  if (!ciphers) return fail(ciphers.error().in("tls: cipherSuites"));
  auto wire = encode_alpn(alpn);
  if (!wire) return fail(wire.error().in("tls"));
  return Protocol{min_version, max_version, std::move(*ciphers), std::move(*wire), kernel && kernel_has_tls()};
}

Result<SslContextPtr> new_context(const SSL_METHOD* method, const Protocol& protocol) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) return fail(Cause::exhausted, "tls: no context: " + take_openssl_error());
  // Said here, so that it does not depend on the distribution: TLS 1.0 and 1.1 need signatures that level 1 forbids.
  SSL_CTX_set_security_level(context.get(), protocol.min_version < Version::tls12 ? 0 : 1);
  SSL_CTX_set_min_proto_version(context.get(), static_cast<int>(protocol.min_version));
  SSL_CTX_set_max_proto_version(context.get(), static_cast<int>(protocol.max_version));
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (protocol.kernel) SSL_CTX_set_options(context.get(), SSL_OP_ENABLE_KTLS);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const CipherNames& ciphers = protocol.ciphers;
  const char* list = ciphers.up_to_tls12.empty() ? kDefaultCiphers : ciphers.up_to_tls12.c_str();
  const char* tls13 = ciphers.tls13.empty() ? kDefaultTls13 : ciphers.tls13.c_str();
  if (SSL_CTX_set_cipher_list(context.get(), list) != 1 || SSL_CTX_set_ciphersuites(context.get(), tls13) != 1)
    return fail(Cause::invalid, "tls: none of the cipher suites is available here: " + take_openssl_error());
  return context;
}

Result<> use_identity(SSL_CTX& context, const Identity& identity) {
  ERR_clear_error();
  STACK_OF(X509)* chain = sk_X509_new_null();  // of borrowed certificates
  for (const X509Ptr& certificate : identity.chain) sk_X509_push(chain, certificate.get());
  bool used =
      SSL_CTX_use_cert_and_key(&context, identity.certificate.get(), identity.key.get(), chain, /*override=*/1) == 1;
  sk_X509_free(chain);
  if (used) return {};
  return fail(Cause::invalid, "tls: the certificate cannot be used: " + take_openssl_error());
}

Result<std::vector<X509Ptr>> load_authorities(const std::string& ca_file) {
  auto text = read_small_file(ca_file, "CA file");
  if (!text) return fail(text.error());
  return parse_certificates(*text, "CA file " + ca_file);
}

StorePtr store_of(const std::vector<X509Ptr>& certificates) {
  StorePtr store(X509_STORE_new());
  for (const X509Ptr& certificate : certificates) X509_STORE_add_cert(store.get(), certificate.get());
  return store;
}

Result<StorePtr> system_store() {
  ERR_clear_error();
  const char* file = std::getenv("SSL_CERT_FILE");  // NOLINT(concurrency-mt-unsafe): at start
  if (file != nullptr && *file != '\0') {
    StorePtr store(X509_STORE_new());
    if (X509_STORE_load_file(store.get(), file) == 1) return store;
    return fail(Cause::invalid, "SSL_CERT_FILE " + std::string(file) + ": " + take_openssl_error());
  }
  for (const char* path : kSystemFiles) {
    if (!is_there(path)) continue;
    StorePtr store(X509_STORE_new());
    if (X509_STORE_load_file(store.get(), path) == 1) return store;
    ERR_clear_error();
  }
  return fail(Cause::invalid,
              "tls: secure is set, but this system has no file of CA certificates; install "
              "ca-certificates, or name one (caFile)");
}

void trust(SSL_CTX& context, X509_STORE& store) {
  SSL_CTX_set1_cert_store(&context, &store);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), X509_V_FLAG_PARTIAL_CHAIN);
}

Error explain_verification(const X509_STORE_CTX& verification, const X509& leaf, bool of_server,
                           const std::string& name) {
  std::string whose = of_server ? "the server's certificate" : "the client's certificate";
  const X509* current = X509_STORE_CTX_get_current_cert(&verification);
  if (current == nullptr) current = &leaf;
  if (X509_cmp(current, &leaf) != 0) whose = "a CA of " + whose;
  std::string print = fingerprint_of(leaf).to_string();
  auto error = [](std::string text) { return Error{Cause::auth, "tls: " + std::move(text)}; };
  switch (int code = X509_STORE_CTX_get_error(&verification); code) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return error(whose + " expired on " + time_text(X509_get0_notAfter(current)) +
                 "; renew it there, or check the clock here");
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return error(whose + " is not valid before " + time_text(X509_get0_notBefore(current)) +
                 "; check the clocks of both machines");
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH: {
    std::string names = names_in(leaf);
    return error(whose + " is for " + (names.empty() ? "no name at all" : names) + ", not for " + name +
                 (names.empty() ? "; pin it (fingerprint " + print + ")" : "; set serverName to one of these"));
  }
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return error(whose + " is self-signed and not trusted; " +
                 (of_server ? "name it as CA (caFile), or pin it (fingerprint " + print + ")"
                            : "add it to the CAs of this server (caFile); its fingerprint is " + print));
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    return error(whose + " is signed by a CA that is not trusted here; " +
                 (of_server ? "name that CA (caFile), or pin the certificate (fingerprint " + print + ")"
                            : "add that CA to this server's (caFile); the certificate's fingerprint is " + print));
  default:
    return error(whose + " is not acceptable: " + X509_verify_cert_error_string(code) + "; its fingerprint is " +
                 print);
  }
}

}  // namespace gost::tls
