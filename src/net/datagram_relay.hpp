// The relay of datagrams: both directions between two ends until one of them ends.
#pragma once

#include "core/duration.hpp"
#include "net/datagram.hpp"
#include "runtime/task.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace gost {

/// What happens to the datagrams of one direction.
struct DatagramDirection {
  /// Everything goes to this peer, whatever address it came with; nothing: to the address (or name) it came with.
  std::optional<SocketAddress> to;
  /// Longer ones (in bytes) are dropped and counted: a datagram that was cut off would be a corrupt one.
  std::size_t longest = std::numeric_limits<std::size_t>::max();
};

struct DatagramRelayOptions {
  DatagramDirection forth;  ///< from a to b
  DatagramDirection back;   ///< from b to a
  /// The relay ends when no datagram passes for this long; 0: never.
  Duration idle_timeout = Duration::zero();
};

/// Where a relay counts while it runs; its owner keeps the numbers. `a` is the client.
struct DatagramRelayCounters {
  std::uint64_t& datagrams_from_a;  ///< received, those included that were dropped afterwards
  std::uint64_t& bytes_from_a;
  std::uint64_t& datagrams_to_a;  ///< sent
  std::uint64_t& bytes_to_a;
  std::uint64_t& dropped;  ///< either way: too long, unreachable, no room
};

/// Passes datagrams on between `a` and `b` until one end has ended, nothing has passed for the idle time, or the
/// caller's scope is stopped. Each wake-up is one receive and one send of all that came; a datagram that cannot be
/// passed on harms only itself. While bytes wait in an end (`pending()`) nothing more is received for it. Idle, the
/// relay owns no buffer; `batch` is the loop's. Returns what broke it: nothing where `a` ended; Cause::eof where `b`
/// did; Cause::timeout after the idle time; else the stop's or the system's error. What the ends discarded by
/// themselves is not among the dropped: see Datagram::discarded().
Task<std::optional<Error>> relay_datagrams(Datagram& a, Datagram& b, DatagramBatch& batch,
                                           DatagramRelayOptions options, DatagramRelayCounters counters);

}  // namespace gost
