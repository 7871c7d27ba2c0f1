// The sockets to which the UDP of SOCKS5 clients and of bound peers comes.
#pragma once

#include "core/address.hpp"
#include "core/error.hpp"
#include "net/datagram.hpp"
#include "net/socket_options.hpp"
#include "runtime/loop.hpp"

#include <cstdint>
#include <memory>

namespace gost::socks5 {

/// A socket on exactly `local`; with `both_families` (for an unspecified IPv6 address) for IPv4 too.
Result<std::unique_ptr<Datagram>> bind_datagrams(Loop& loop, const SocketAddress& local, bool both_families,
                                                 const SocketOptions& options = {});

/// A socket on `ip` at a free port from `port_min` to `port_max`: begins anywhere in the range and tries up to 64
/// ports, or all if there are fewer. A minimum of 0 means the kernel's choice, a maximum below the minimum only the
/// minimum. Errors: that of the last try.
Result<std::unique_ptr<Datagram>> open_relay_socket(Loop& loop, const IpAddress& ip, std::uint16_t port_min,
                                                    std::uint16_t port_max, const SocketOptions& options = {});

}  // namespace gost::socks5
