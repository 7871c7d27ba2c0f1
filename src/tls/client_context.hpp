// ClientContext: what a node needs so that we can be its TLS client. Made once, shared by all loops.
#pragma once

#include "core/snapshot.hpp"
#include "net/io_context.hpp"
#include "runtime/per_loop.hpp"
#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/file.hpp"
#include "tls/options.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace gost::tls {

/// Immutable but for reload_if_changed(). Must outlive the handshakes that use it, not the streams. Remembers per
/// loop the last few sessions, with which the next handshake is shorter.
class ClientContext {
 public:
  /// Reads all files and checks all options. Errors name the file and what to do.
  static Result<std::unique_ptr<ClientContext>> make(TlsClientOptions options);

  /// The context of this loop, made at its first use and after a reload; null if memory is out. Loop's thread.
  SSL_CTX* context_for(const IoContext& io) const;
  /// A connection of this loop to the server at `node_host` (a name or an IP literal, may be empty), not yet bound to
  /// a stream. Errors: `secure` without any name to verify; out of memory.
  Result<SslPtr> start(const IoContext& io, Connection& connection, std::string_view node_host) const;

  /// As of ServerContext: the certificate that is shown, and the authorities that are trusted.
  Result<bool> reload_if_changed();

  /// What is verified, for a log: "nothing", "the chain", "the chain and the name", "the fingerprint".
  std::string_view verifies() const;
  /// A sentence for the log if nothing is verified, else empty.
  std::string_view caution() const;

 private:
  /// What comes from files.
  struct Material {
    std::optional<Identity> identity;
    StorePtr store;  ///< whom to trust, if the chain is verified
  };
  struct LoopState {
    std::uint64_t generation = 0;
    SslContextPtr context;
    std::shared_ptr<SessionCache> sessions;
  };

  ClientContext(TlsClientOptions options, Protocol protocol)
      : options_(std::move(options)),
        protocol_(std::move(protocol)),
        files_({options_.cert_file, options_.key_file, options_.ca_file}) {}
  Result<std::shared_ptr<const Material>> load() const;
  Result<SslContextPtr> build(const Material& material) const;
  /// Loads and puts in force.
  Result<> renew();
  bool verifies_chain() const { return !options_.fingerprint && (options_.secure || !options_.ca_file.empty()); }
  bool verifies_name() const { return !options_.fingerprint && options_.secure; }
  LoopState& state_for(const IoContext& io) const;

  static int on_verify(X509_STORE_CTX* verification, void* self);
  static int on_session(SSL* ssl, SSL_SESSION* session);

  const TlsClientOptions options_;
  const Protocol protocol_;
  WatchedFiles files_;
  Snapshot<Material> material_;
  std::atomic<std::uint64_t> generation_{0};
  PerLoop<LoopState> loops_;
};

}  // namespace gost::tls
