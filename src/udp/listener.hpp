// The `udp` listener: datagrams of one address, as sessions of one client each.
#pragma once

#include "component/listener.hpp"
#include "net/fd.hpp"
#include "net/udp.hpp"
#include "udp/demux.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost {

struct UdpListenerOptions {
  DemuxOptions demux;
  std::size_t max_sessions = SessionLimits().max_open;  ///< of the service at once (option maxSessions)
  std::size_t backlog = SessionLimits().backlog;        ///< sessions whose handler does not read yet (option backlog)
  UdpOptions socket;
};

/// Each loop has a socket of its own (SO_REUSEPORT), and the kernel gives a client's datagrams always to the same
/// one; sessions never change their loop. In contrast to wire.md §7.4 a session survives its first answer whatever
/// `keepalive` says: in both cases it ends `ttl` after its last datagram. The sessions end with the listener, since
/// the address that it gives back is theirs.
class UdpListener final : public Listener {
 public:
  UdpListener(std::string address, const UdpListenerOptions& options);

  Result<> bind(std::size_t loops) override;
  SocketAddress address() const override { return address_; }
  std::string network() const override { return "udp"; }
  void seat(std::vector<ListenerSeat> seats) override { seats_ = std::move(seats); }
  Task<> accept(std::size_t seat) override;
  void close() override { sockets_.clear(); }

 private:
  std::string requested_;
  UdpListenerOptions options_;
  std::shared_ptr<SessionLimits> limits_;
  SocketAddress address_;
  std::vector<Fd> sockets_;  ///< bound, until accept() takes them
  std::vector<ListenerSeat> seats_;
};

}  // namespace gost
