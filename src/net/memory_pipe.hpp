// A pair of connected streams in memory, for tests of everything that speaks over a Stream: bounded, able to split
// what is read at every byte and to fail at any step.
#pragma once

#include "net/stream.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

namespace gost {

struct MemoryPipeOptions {
  std::size_t capacity = std::size_t{64} * 1024;                       ///< bytes on the way in each direction
  std::size_t read_at_most = std::numeric_limits<std::size_t>::max();  ///< bytes that one try_read returns
  bool half_close = true;                                              ///< false: try_shutdown is unsupported
  /// The n-th read or write (counted over both directions of the first end, from 0) fails with a reset.
  std::size_t fail_at = std::numeric_limits<std::size_t>::max();
};

/// The options apply to the first stream; the second one is a well-behaved peer. Both belong to the same loop.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_memory_pipe(const MemoryPipeOptions& options = {});

}  // namespace gost
