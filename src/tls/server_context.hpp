// ServerContext: what a service needs to be a TLS server. Made once, shared by all loops.
#pragma once

#include "core/snapshot.hpp"
#include "net/io_context.hpp"
#include "runtime/per_loop.hpp"
#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/file.hpp"
#include "tls/options.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost::tls {

/// Immutable but for reload_if_changed(). Must outlive the handshakes that use it, not the streams. Tickets are of
/// use on every loop, until the next reload.
class ServerContext {
 public:
  /// Reads all files and checks all options. Errors (Cause::invalid or the system's) name the file and what to do;
  /// without files and without `default_certificate` there is nothing to show, which is one too.
  static Result<std::unique_ptr<ServerContext>> make(TlsServerOptions options);

  /// The context of this loop, made at its first use and after a reload; null if memory is out. Loop's thread.
  SSL_CTX* context_for(const IoContext& io) const;
  /// A connection of this loop with this context, not yet bound to a stream. Errors: out of memory.
  Result<SslPtr> start(const IoContext& io, Connection& connection) const;

  /// Reads the files again if one of them is another one than before; true if new ones are in force. After an error
  /// (told once for each change) the old ones stay. Connections go on. Any thread, one call at a time; blocks on
  /// files.
  Result<bool> reload_if_changed();

  /// Of the certificate that is shown now.
  Fingerprint fingerprint() const { return fingerprint_of(*material_.load()->identity->certificate); }
  /// When that one ends.
  std::string expires() const;

 private:
  /// What comes from files.
  struct Material {
    std::shared_ptr<const Identity> identity;
    std::vector<X509Ptr> authorities;
    StorePtr store;  ///< of the authorities; null: clients show no certificate
    std::array<unsigned char, 80> ticket_keys;
  };
  struct LoopState {
    std::uint64_t generation = 0;
    SslContextPtr context;
  };

  ServerContext(TlsServerOptions options, Protocol protocol)
      : options_(std::move(options)),
        protocol_(std::move(protocol)),
        files_({options_.cert_file, options_.key_file, options_.ca_file}) {}
  Result<std::shared_ptr<const Material>> load() const;
  Result<SslContextPtr> build(const Material& material) const;
  /// Loads and puts in force.
  Result<> renew();

  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned int offered_size, void* self);
  static int on_verify(X509_STORE_CTX* verification, void* self);
  bool is_ours(std::string_view name, const X509& certificate) const;

  const TlsServerOptions options_;
  const Protocol protocol_;
  WatchedFiles files_;
  Snapshot<Material> material_;
  std::atomic<std::uint64_t> generation_{0};
  PerLoop<LoopState> loops_;
};

}  // namespace gost::tls
