// Options of sockets that the program opens towards targets and proxies.
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <string>

namespace gost {

/// TCP keepalive as GOST (Go) sets it: on, first probe after 15 s, then every 15 s, nine times.
struct KeepAlive {
  Duration idle = std::chrono::seconds(15);
  Duration interval = std::chrono::seconds(15);
  int count = 9;
};

struct SocketOptions {
  KeepAlive keepalive;     ///< of TCP sockets
  std::string interface;   ///< GOST's `interface`: names or addresses, comma-separated; empty: the kernel's choice
  bool batching = true;    ///< of UDP sockets; false: one system call for one datagram, for comparison
  std::uint32_t mark = 0;  ///< SO_MARK; 0: none
};

/// Gives a new socket of `family` its mark, and binds it to the first usable entry of `options.interface`: an address
/// of that family, or an interface (to its address of that family, and to the device where the kernel permits). A
/// trailing '!' on an entry forbids to try further ones (config.md §3.5). Errors name the option and the entry.
Result<> apply_socket_options(int fd, int family, const SocketOptions& options);

}  // namespace gost
