// The far end of datagrams: sockets that echo or count them, in batches.
#pragma once

#include "core/error.hpp"
#include "load/sink.hpp"

#include <netinet/in.h>

#include <span>

namespace gost::load {

constexpr bool is_udp(Role role) {
  return role == Role::udp_echo || role == Role::udp_discard;
}

/// A UDP socket on `address`, whose port is filled in. Its receive buffer is large, beyond the system's limit if this
/// user may, so that the loss that is measured is the server's.
Result<int> receive_on(sockaddr_in& address);

/// The child's loop. `udp_echo` sends every datagram back to its source, `udp_discard` only counts them.
[[noreturn]] void run_udp_sink(Role role, std::span<const int> sockets, SinkCounters& counters);

}  // namespace gost::load
