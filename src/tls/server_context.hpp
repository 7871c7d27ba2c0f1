// ServerContext: what a service needs to be a TLS server. Made once, shared by all loops.
#pragma once

#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/options.hpp"
#include "tls/reloaded_context.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost::tls {

/// What a server's context is made of: what comes from files, and the keys of its tickets.
struct ServerMaterial {
  std::shared_ptr<const Identity> identity;
  std::vector<X509Ptr> authorities;
  StorePtr store;  ///< of the authorities; null: clients show no certificate
  std::array<unsigned char, 80> ticket_keys;
};

/// Immutable but for reload_if_changed(). Must outlive the handshakes that use it, not the streams. Tickets are of
/// use on every loop, until the next reload.
class ServerContext : public ReloadedContext<ServerContext, ServerMaterial> {
 public:
  /// Reads all files and checks all options. Errors (Cause::invalid or the system's) name the file and what to do;
  /// without files and without `default_certificate` there is nothing to show, which is one too.
  static Result<std::unique_ptr<ServerContext>> make(TlsServerOptions options);

  /// A connection of this loop with this context, not yet bound to a stream. Errors: out of memory.
  Result<SslPtr> start(const IoContext& io, Connection& connection) const;

  /// Whether clients may choose to do without (TlsServerOptions).
  bool compulsory() const { return options_.compulsory; }
  /// Of the certificate that is shown now.
  Fingerprint fingerprint() const { return fingerprint_of(*material()->identity->certificate); }
  /// When that one ends.
  std::string expires() const;
  bool has_expired() const;

 private:
  friend ReloadedContext;

  ServerContext(TlsServerOptions options, Protocol protocol)
      : ReloadedContext({options.cert_file, options.key_file, options.ca_file}),
        options_(std::move(options)),
        protocol_(std::move(protocol)) {}
  Result<std::shared_ptr<const ServerMaterial>> load() const;
  Result<SslContextPtr> build(const ServerMaterial& material) const;

  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned int offered_size, void* self);
  static int on_verify(X509_STORE_CTX* verification, void* self);
  bool is_ours(std::string_view name, const X509& certificate) const;

  const TlsServerOptions options_;
  const Protocol protocol_;
};

}  // namespace gost::tls
