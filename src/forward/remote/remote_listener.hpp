// RemoteListener: what the listeners `rtcp` and `rudp` have in common. The port is at the end of a chain, and it is
// bound again whenever it is lost.
#pragma once

#include "component/listener.hpp"
#include "component/router.hpp"
#include "forward/remote/backoff.hpp"
#include "observe/log.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost::forward {

/// All of it runs on the loop of the first seat (wire.md §5.4).
class RemoteListener : public Listener {
 public:
  /// Only looks at the address: that a proxy cannot be reached now is no reason not to start.
  Result<> bind(std::size_t loops) override;
  /// As configured; since the port is there as the far end said, if that was an address. To be asked before accept(),
  /// or on the first seat's loop.
  SocketAddress address() const override { return address_; }
  void seat(std::vector<ListenerSeat> seats) override { seat_ = seats.front(); }
  Task<> accept(std::size_t seat) override;
  /// There is nothing to give back: the port has gone with its last user.
  void close() override {}

 protected:
  RemoteListener(std::string address, std::shared_ptr<const Router> router, Logger log);

  /// Binds the port once and delivers who comes, until it is lost or the scope is stopped: then why. Says announce()
  /// when the port is there.
  virtual Task<Error> hold_port() = 0;
  void announce(const Endpoint& bound);

  const Endpoint& requested() const { return requested_; }
  const Router& router() const { return *router_; }
  const ListenerSeat& here() const { return seat_; }

 private:
  std::string name() const { return text_ + "/" + network(); }

  std::string text_;
  Endpoint requested_;
  SocketAddress address_;
  std::shared_ptr<const Router> router_;
  Logger log_;
  ListenerSeat seat_{};
  Backoff backoff_;
  bool announced_ = false;
};

}  // namespace gost::forward
