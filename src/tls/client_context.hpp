// ClientContext: what a node needs so that we can be its TLS client. Made once, shared by all loops.
#pragma once

#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/options.hpp"
#include "tls/reloaded_context.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace gost::tls {

/// What a client's context is made of: what comes from files.
struct ClientMaterial {
  std::optional<Identity> identity;
  StorePtr store;  ///< whom to trust, if the chain is verified
};

/// Sessions are forgotten with the context: they stand for what was shown and trusted before.
struct ClientSessions {
  std::shared_ptr<SessionCache> cache = std::make_shared<SessionCache>();
};

/// Immutable but for reload_if_changed(), which also reads again whom to trust. Must outlive the handshakes that use
/// it, not the streams. Remembers per loop the last few sessions, with which the next handshake is shorter.
class ClientContext : public ReloadedContext<ClientContext, ClientMaterial, ClientSessions> {
 public:
  /// Reads all files and checks all options. Errors name the file and what to do.
  static Result<std::unique_ptr<ClientContext>> make(TlsClientOptions options);

  /// A connection of this loop to the server at `node_host` (a name or an IP literal, may be empty), not yet bound to
  /// a stream. Errors: `secure` without any name to verify; out of memory.
  Result<SslPtr> start(const IoContext& io, Connection& connection, std::string_view node_host) const;

  /// Whether anybody but the wanted server is turned away.
  bool verifies_server() const { return options_.fingerprint || verifies_chain(); }
  /// What is verified, for a log: "nothing", "the chain", "the chain and the name", "the fingerprint".
  std::string_view verifies() const;
  /// A sentence for the log if nothing is verified, else empty.
  std::string_view caution() const;

 private:
  friend ReloadedContext;

  ClientContext(TlsClientOptions options, Protocol protocol)
      : ReloadedContext({options.cert_file, options.key_file, options.ca_file}),
        options_(std::move(options)),
        protocol_(std::move(protocol)) {}
  Result<std::shared_ptr<const ClientMaterial>> load() const;
  Result<SslContextPtr> build(const ClientMaterial& material) const;
  bool verifies_chain() const { return !options_.fingerprint && (options_.secure || !options_.ca_file.empty()); }
  bool verifies_name() const { return !options_.fingerprint && options_.secure; }

  static int on_verify(X509_STORE_CTX* verification, void* self);
  static int on_session(SSL* ssl, SSL_SESSION* session);

  const TlsClientOptions options_;
  const Protocol protocol_;
};

}  // namespace gost::tls
