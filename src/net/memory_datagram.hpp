// A pair of connected datagram ends in memory, for tests of everything that speaks over a Datagram: bounded, and
// either lossy as a socket or keeping what was begun as a tunnel.
#pragma once

#include "net/datagram.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace gost {

struct MemoryDatagramOptions {
  std::size_t capacity = 64;           ///< datagrams on the way in each direction
  std::size_t receive_at_most = 1024;  ///< datagrams that one try_receive yields
  /// As over a stream: what does not fit is kept and pending() until the far end has made room; otherwise it is
  /// dropped.
  bool keeps_what_was_begun = false;
  bool names = false;   ///< takes_names()
  SocketAddress local;  ///< local() of the end
};

/// The options apply to the first end; the second one is a lossy peer with the same capacity that takes names. An
/// address or name that a datagram is sent to travels with it: the far end receives it as the datagram's source. So
/// whoever holds an end can play any number of peers, and sees where each answer was meant to go. When an end is
/// destroyed the other one receives what is on the way, then eof. Both belong to the same loop.
std::pair<std::unique_ptr<Datagram>, std::unique_ptr<Datagram>> make_memory_datagrams(
    const MemoryDatagramOptions& options = {});

}  // namespace gost
