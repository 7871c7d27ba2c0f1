// From the configuration's TLS settings to the contexts that servers and clients use.
#pragma once

#include "service/build_context.hpp"
#include "tls/client_context.hpp"
#include "tls/default_certificate.hpp"
#include "tls/server_context.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost {

class TlsBuilder {
 public:
  explicit TlsBuilder(BuildContext& context) : context_(context) {}

  /// For a server. With settings that name a CA, TLS is compulsory. Without settings, or without files in them, it
  /// shows the certificate of the process: that of the top-level `tls`, else the default one (wire.md §3.2). Its
  /// files are watched. Null after an error, which the problems then tell.
  std::shared_ptr<const tls::ServerContext> server(const config::Origin& at, const config::Tls* settings);
  /// For a client. Without settings nothing is verified, as with GOST (§3.3). Null after an error.
  std::shared_ptr<const tls::ClientContext> client(const config::Origin& at, const config::Tls* settings);

 private:
  /// `own`: the settings are not the top-level ones.
  std::shared_ptr<const tls::ServerContext> make_server(const config::Origin& at, const config::Tls& settings,
                                                        bool own);
  /// The certificate that is shown where none is configured, found or made once; null after an error.
  const tls::DefaultCertificate* default_certificate();

  BuildContext& context_;
  std::shared_ptr<const tls::ServerContext> default_server_;
  std::optional<tls::DefaultCertificate> default_certificate_;
};

}  // namespace gost
