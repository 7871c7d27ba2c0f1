#include "udp/listener.hpp"

#include "udp/port.hpp"

#include <utility>

namespace gost {

UdpListener::UdpListener(std::string address, const UdpListenerOptions& options)
    : requested_(std::move(address)), options_(options), limits_(std::make_shared<SessionLimits>()) {
  limits_->max_open = options.max_sessions;
  limits_->backlog = options.backlog;
}

Result<> UdpListener::bind(std::size_t loops) {
  auto port = bind_udp_port(requested_, loops, options_.socket);
  if (!port) return fail(port.error());
  options_.socket = port->options;
  sockets_ = std::move(port->sockets);
  address_ = port->address;
  return {};
}

Task<> UdpListener::accept(std::size_t here) {
  ListenerSeat& seat = seats_[here];
  auto socket = UdpSocket::adopt(seat.io->loop, std::move(sockets_[here]), options_.socket);
  if (!socket) {
    seat.sink->accept_failed(socket.error(), Duration::zero());
    co_return;
  }
  UdpDemux demux(*seat.io, **socket, *seat.sink, options_.demux, limits_);
  if (auto error = co_await demux.run()) seat.sink->accept_failed(*error, Duration::zero());
}

}  // namespace gost
