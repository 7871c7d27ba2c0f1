// The server's handshake as what a listener does on each accepted connection (`tls`, and `mtls` below its sessions).
#pragma once

#include "component/listener.hpp"
#include "tls/server_context.hpp"

#include <memory>

namespace gost::tls {

class TlsUpgrade final : public StreamUpgrade {
 public:
  /// `timeout` is for the handshake.
  TlsUpgrade(std::shared_ptr<const ServerContext> context, Duration timeout)
      : context_(std::move(context)), timeout_(timeout) {}
  Task<Result<std::unique_ptr<Stream>>> upgrade(IoContext& io, std::unique_ptr<Stream> below) const override;

 private:
  std::shared_ptr<const ServerContext> context_;
  Duration timeout_;
};

}  // namespace gost::tls
