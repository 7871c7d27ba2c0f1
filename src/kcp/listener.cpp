#include "kcp/listener.hpp"

#include "kcp/lobby.hpp"
#include "runtime/event.hpp"
#include "udp/port.hpp"

#include <utility>

namespace gost::kcp {

namespace {

/// Runs as long as there are sessions, which may be longer than the listener accepts.
Task<> carry(std::shared_ptr<Lobby> lobby) {
  co_await lobby->carrier().run();
}

}  // namespace

KcpListener::KcpListener(std::string address, const Options& options, Logger log)
    : requested_(std::move(address)),
      options_(options),
      log_(std::move(log)),
      quota_(std::make_shared<SessionQuota>(static_cast<std::size_t>(options.max_sessions),
                                            static_cast<std::size_t>(options.max_sessions_per_host))) {}

Result<std::unique_ptr<KcpListener>> KcpListener::make(std::string address, const Options& options, Logger log) {
  std::unique_ptr<KcpListener> listener(new KcpListener(std::move(address), options, std::move(log)));
  auto keys = Keys::derive(options);
  if (!keys) return fail(keys.error());
  listener->keys_ = std::move(*keys);
  auto connections = ConnectionOptions::make(options);
  if (!connections) return fail(connections.error());
  listener->connections_ = std::move(*connections);
  return listener;
}

Result<> KcpListener::bind(std::size_t loops) {
  auto port = bind_udp_port(requested_, loops, {});
  if (!port) return fail(port.error());
  socket_options_ = port->options;
  sockets_ = std::move(port->sockets);
  address_ = port->address;
  return {};
}

Task<> KcpListener::accept(std::size_t here) {
  ListenerSeat& seat = seats_[here];
  auto socket = UdpSocket::adopt(seat.io->loop, std::move(sockets_[here]), socket_options_);
  auto state = LoopState::make(keys_);
  if (!socket || !state) {
    seat.sink->accept_failed(!socket ? socket.error() : state.error(), Duration::zero());
    co_return;
  }
  (*socket)->tune({.buffer = static_cast<int>(options_.sockbuf), .dscp = static_cast<int>(options_.dscp)});
  auto lobby = std::make_shared<Lobby>(*seat.io, *seat.sink, std::move(*socket), std::move(*state), connections_,
                                       quota_, !options_.nocomp, log_);
  seat.sink->carry(carry(lobby));
  Event never;
  co_await never.until_set();
  lobby->close();
}

}  // namespace gost::kcp
