#include "udp/port.hpp"

#include "net/listen_address.hpp"

#include <sys/socket.h>

#include <utility>

namespace gost {

namespace {

SocketAddress bound_address(const Fd& socket) {
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&native), &length);
  return SocketAddress::from_native(native);
}

/// One socket, or where several loops take part several of one address.
Result<std::vector<Fd>> bind_all(SocketAddress local, bool both_families, std::size_t count, UdpOptions options) {
  std::vector<Fd> sockets;
  {
    // SO_REUSEPORT would let another program of this user have the same address without a word. So the address must
    // be free without it first, which finds the port as well where any will do.
    options.reuse_port = false;
    auto first = UdpSocket::bind_descriptor(local, both_families, options);
    if (!first) return fail(first.error());
    if (count == 1) {
      sockets.push_back(std::move(*first));
      return sockets;
    }
    local = bound_address(*first);
  }
  options.reuse_port = true;
  for (std::size_t i = 0; i < count; ++i) {
    auto socket = UdpSocket::bind_descriptor(local, both_families && local.ip().is_v6(), options);
    if (!socket) return fail(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace

Result<UdpPort> bind_udp_port(const std::string& address, std::size_t loops, const UdpOptions& options) {
  auto target = parse_listen_address(address);
  if (!target) return fail(target.error().in("listen udp"));
  UdpPort port{.address = {}, .options = options, .sockets = {}};
  port.options.keep_local = target->address.ip().is_unspecified();
  auto sockets = bind_all(target->address, target->both_families, loops, port.options);
  if (!sockets) return fail(sockets.error());
  port.sockets = std::move(*sockets);
  port.address = bound_address(port.sockets.front());
  return port;
}

}  // namespace gost
