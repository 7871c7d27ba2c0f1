// The `rtcp` listener: a TCP port at the end of a chain (wire.md §5.4).
#pragma once

#include "forward/remote/remote_listener.hpp"

namespace gost::forward {

/// Without a chain the port is one of this machine, as in GOST. When the listener stops, what it has delivered goes
/// on, on the same connection to the proxy; newcomers are turned away.
class RtcpListener final : public RemoteListener {
 public:
  RtcpListener(std::string address, std::shared_ptr<const Router> router, Logger log)
      : RemoteListener(std::move(address), std::move(router), std::move(log)) {}
  std::string network() const override { return "tcp"; }

 private:
  Task<Error> hold_port() override;
};

}  // namespace gost::forward
