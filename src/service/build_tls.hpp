// From the configuration's TLS settings to the contexts that servers and clients use.
#pragma once

#include "config/components.hpp"
#include "service/build_context.hpp"
#include "tls/client_context.hpp"
#include "tls/default_certificate.hpp"
#include "tls/server_context.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost {

/// Whether a listener, or a dialer, of this type (which may be empty or an alias) encrypts by TLS.
bool encrypts(config::Kind kind, const std::string& type);

class TlsBuilder {
 public:
  explicit TlsBuilder(BuildContext& context) : context_(context) {}

  /// For a server. Without settings, or without files in them, it shows the certificate of the process: that of the
  /// top-level `tls`, else the default one (wire.md §3.2). Its files are watched. Null after an error, which the
  /// problems then tell.
  std::shared_ptr<const tls::ServerContext> server(const config::Origin& at, const config::Tls* settings);
  /// For a client. Without settings nothing is verified, as with GOST (§3.3). Null after an error.
  std::shared_ptr<const tls::ClientContext> client(const config::Origin& at, const config::Tls* settings);

 private:
  std::shared_ptr<const tls::ServerContext> make_server(const config::Origin& at, const config::Tls& settings);
  /// The certificate that is shown where none is configured, found or made once.
  std::shared_ptr<const tls::Identity> default_identity();

  BuildContext& context_;
  std::shared_ptr<const tls::ServerContext> default_server_;
  std::optional<tls::DefaultCertificate> default_certificate_;
};

}  // namespace gost
