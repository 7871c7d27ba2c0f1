#include "socks5/relay_socket.hpp"

#include "net/udp.hpp"

#include <algorithm>
#include <random>

namespace gost::socks5 {

namespace {

constexpr std::uint32_t kMostTries = 64;

/// Whether another port of the same address is worth a try.
bool is_of_the_port(const Error& error) {
  return error.cause == Cause::other || error.cause == Cause::denied;  // in use; a privileged one
}

}  // namespace

Result<std::unique_ptr<Datagram>> bind_datagrams(Loop& loop, const SocketAddress& local, bool both_families,
                                                 const SocketOptions& options) {
  auto socket = UdpSocket::bind(loop, local, both_families, {.socket = options});
  if (!socket) return fail(std::move(socket.error()));
  return std::move(*socket);
}

Result<std::unique_ptr<Datagram>> open_relay_socket(Loop& loop, const IpAddress& ip, std::uint16_t port_min,
                                                    std::uint16_t port_max, const SocketOptions& options) {
  if (port_min == 0) return bind_datagrams(loop, SocketAddress(ip, 0), false, options);
  const std::uint32_t ports = std::max(port_min, port_max) - std::uint32_t{port_min} + 1;
  const std::uint32_t begin = std::random_device()() % ports;
  for (std::uint32_t i = 0;; ++i) {
    auto port = static_cast<std::uint16_t>(port_min + (begin + i) % ports);
    auto socket = bind_datagrams(loop, SocketAddress(ip, port), false, options);
    if (socket || !is_of_the_port(socket.error())) return socket;
    if (i + 1 == std::min(ports, kMostTries))
      return fail(socket.error().in("no port of udp.bindRange (" + std::to_string(port_min) + " to " +
                                    std::to_string(std::max(port_min, port_max)) + ") is free"));
  }
}

}  // namespace gost::socks5
