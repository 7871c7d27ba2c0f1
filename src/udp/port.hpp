// A UDP port that several loops share.
#pragma once

#include "net/fd.hpp"
#include "net/udp.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace gost {

struct UdpPort {
  SocketAddress address;    ///< the one in force
  UdpOptions options;       ///< to adopt the sockets with
  std::vector<Fd> sockets;  ///< bound, one for each loop
};

/// Binds one socket for each of `loops` to `address` as it is configured (":53", "[::1]:0"); the kernel decides by
/// source which of them gets a datagram. A socket of all addresses answers from the one that it was asked at. Errors
/// name the address and say why.
Result<UdpPort> bind_udp_port(const std::string& address, std::size_t loops, const UdpOptions& options);

}  // namespace gost
