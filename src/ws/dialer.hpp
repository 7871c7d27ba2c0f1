// The dialers `ws` and `wss`: WebSocket over a connection that another dialer makes.
#pragma once

#include "component/connector.hpp"
#include "ws/options.hpp"

#include <memory>

namespace gost::ws {

class WsDialer final : public Dialer {
 public:
  /// `below` makes the connection: TCP for `ws`, TLS for `wss`.
  WsDialer(std::shared_ptr<const Dialer> below, ClientOptions options)
      : below_(std::move(below)), options_(std::move(options)) {}

  /// Errors are those of the dialer below and of ws_connect().
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const override;

 private:
  std::shared_ptr<const Dialer> below_;
  ClientOptions options_;
};

}  // namespace gost::ws
