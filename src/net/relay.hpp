// The relay: both directions between two streams until the tunnel ends.
#pragma once

#include "core/duration.hpp"
#include "net/pools.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <cstdint>
#include <optional>

namespace gost {

struct RelayOptions {
  /// After one side has ended, the tunnel ends when the other moves no byte for this long.
  Duration half_close_grace = std::chrono::seconds(10);
  /// The tunnel ends when no byte moves for this long; 0 = never.
  Duration idle_timeout = Duration::zero();
  /// Use splice(2) between two kernel sockets once a direction is hot.
  bool splice = true;
};

/// Bytes moved so far, readable while the relay runs.
struct RelayCounters {
  std::uint64_t from_a = 0;
  std::uint64_t from_b = 0;
};

/// Where a relay borrows from: the pools of the loop that runs it.
struct RelayPools {
  BufferPool& buffers;
  PipePool& pipes;
};

/// Moves bytes between `a` and `b` until both directions have ended, one of them fails, or a time limit passes. An
/// idle direction holds no buffer. The end of one direction is passed on as a half-close while the other keeps
/// flowing; where the stream is closed() at its end, the tunnel ends as soon as all that it sent was delivered. A
/// reset is passed on as a reset if everything before it was delivered. Returns the error that ended the tunnel, if
/// it was one. The owner destroys both streams afterwards; that is what tells the last end to a socket.
Task<std::optional<Error>> relay(Stream& a, Stream& b, RelayPools pools, const RelayOptions& options,
                                 RelayCounters& counters);

}  // namespace gost
