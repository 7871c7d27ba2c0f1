// KcpListener: streams over UDP, reliable, encrypted and error-corrected (wire.md §12). What a `kcp` service listens
// on below its smux.
#pragma once

#include "component/listener.hpp"
#include "kcp/connection.hpp"
#include "kcp/loop_state.hpp"
#include "kcp/session_quota.hpp"
#include "net/fd.hpp"
#include "net/udp.hpp"
#include "observe/log.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost::kcp {

/// Delivers one stream for each KCP session, with snappy unless it is switched off. Each loop has a socket of its own
/// (SO_REUSEPORT), and the kernel gives a client's packets always to the same one. When no more is accepted, sessions
/// go on until they end, and their sockets stay open so long.
class KcpListener final : public Listener {
 public:
  /// `options` must be valid. Errors: the keys cannot be derived, or the library lacks the cipher. Takes
  /// milliseconds.
  static Result<std::unique_ptr<KcpListener>> make(std::string address, const Options& options, Logger log);

  Result<> bind(std::size_t loops) override;
  SocketAddress address() const override { return address_; }
  std::string network() const override { return "udp"; }
  void seat(std::vector<ListenerSeat> seats) override { seats_ = std::move(seats); }
  Task<> accept(std::size_t seat) override;
  void close() override { sockets_.clear(); }

 private:
  KcpListener(std::string address, const Options& options, Logger log);

  std::string requested_;
  Options options_;
  Logger log_;
  Keys keys_;
  std::shared_ptr<const ConnectionOptions> connections_;
  std::shared_ptr<SessionQuota> quota_;
  SocketAddress address_;
  UdpOptions socket_options_;
  std::vector<Fd> sockets_;  ///< bound, until accept() takes them
  std::vector<ListenerSeat> seats_;
};

}  // namespace gost::kcp
