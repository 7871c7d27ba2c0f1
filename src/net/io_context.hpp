// What every connection of one loop shares: the loop, its pools and its resolver.
#pragma once

#include "net/datagram_batch.hpp"
#include "net/memory_trim.hpp"
#include "net/pools.hpp"
#include "net/relay.hpp"
#include "net/resolver.hpp"
#include "runtime/list.hpp"
#include "runtime/task_group.hpp"

#include <atomic>

namespace gost {

/// Something in IoContext::background that others may still use, and that can end in good order.
class KeptForLater : public ListHook<struct KeptForLaterTag> {
 public:
  /// Nobody will use it any more: its task is to end as soon as what it has to deliver has been delivered.
  virtual void end_in_order() = 0;

 protected:
  ~KeptForLater() = default;
};

struct IoContext {
  explicit IoContext(Loop::Time time = Loop::Time::real) : loop(time), resolver(loop), background(loop.root()) {}

  Loop loop;
  BufferPool buffers;
  PipePool pipes;
  DatagramBatch datagrams;  ///< for every receive on this loop
  Resolver resolver;
  MemoryTrim memory;
  /// What belongs to no request: the sessions that dialers keep for later ones.
  TaskGroup background;
  List<KeptForLater, KeptForLaterTag> kept_for_later;
  /// Connections that live on this loop; other loops read it to place new ones.
  std::atomic<int> connections{0};

  RelayPools pools() { return {buffers, pipes}; }
  /// Ends `background` when nothing uses it any more: in good order within `patience`, then at once. To be called, on
  /// the loop, before the destructor.
  Task<> end_background(Duration patience);
};

}  // namespace gost
