// The `tls` dialer: TLS over a connection to the proxy.
#pragma once

#include "component/connector.hpp"
#include "tls/client_context.hpp"

#include <memory>
#include <string>

namespace gost::tls {

class TlsDialer final : public Dialer {
 public:
  /// `host` is the proxy's name or address, for SNI and verification. `timeout` (option handshakeTimeout) is for the
  /// handshake alone; 0: only the router's limit.
  TlsDialer(std::shared_ptr<const ClientContext> context, std::string host, Duration timeout)
      : context_(std::move(context)), host_(std::move(host)), timeout_(timeout) {}
  /// Errors begin with "tls" and say what to do.
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const override;

 private:
  std::shared_ptr<const ClientContext> context_;
  std::string host_;
  Duration timeout_;
};

}  // namespace gost::tls
