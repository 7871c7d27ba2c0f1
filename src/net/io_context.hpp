// What every connection of one loop shares: the loop, its pools and its resolver.
#pragma once

#include "net/datagram_batch.hpp"
#include "net/memory_trim.hpp"
#include "net/pools.hpp"
#include "net/relay.hpp"
#include "net/resolver.hpp"
#include "runtime/task_group.hpp"

#include <atomic>

namespace gost {

struct IoContext {
  explicit IoContext(Loop::Time time = Loop::Time::real) : loop(time), resolver(loop), background(loop.root()) {}

  Loop loop;
  BufferPool buffers;
  PipePool pipes;
  DatagramBatch datagrams;  ///< for every receive on this loop
  Resolver resolver;
  MemoryTrim memory;
  /// What belongs to no request: the sessions that dialers keep for later ones. To be stopped and joined on the loop
  /// when nothing uses it any more.
  TaskGroup background;
  /// Connections that live on this loop; other loops read it to place new ones.
  std::atomic<int> connections{0};

  RelayPools pools() { return {buffers, pipes}; }
};

}  // namespace gost
