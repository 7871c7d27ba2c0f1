// The server's handshake as what a listener does on each accepted connection (`ws`, and `mws` below its sessions).
#pragma once

#include "component/listener.hpp"
#include "ws/options.hpp"

#include <memory>

namespace gost::ws {

class WsUpgrade final : public StreamUpgrade {
 public:
  explicit WsUpgrade(ServerOptions options) : options_(std::move(options)) {}

  /// Errors begin with "websocket" and say what the client sent instead. Where it speaks HTTP it gets an answer in
  /// HTTP: 400, 404, 405, 408, 426, 431.
  Task<Result<std::unique_ptr<Stream>>> upgrade(IoContext& io, std::unique_ptr<Stream> below) const override;

 private:
  ServerOptions options_;
};

}  // namespace gost::ws
