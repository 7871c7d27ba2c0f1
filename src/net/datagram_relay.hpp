// The relay of datagrams: both directions between two ends until one of them ends.
#pragma once

#include "core/duration.hpp"
#include "net/datagram.hpp"
#include "runtime/task_group.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>

namespace gost {

/// The loop that every relay of datagrams is: each wake-up is one receive, and what the derived class makes of all
/// that came. While bytes wait in an end (`pending()`) nothing more is received for it. Idle, it owns no buffer.
class DatagramRelay : private Timer {
 public:
  /// `a` is the client's end. `batch` is the loop's. The relay ends when nothing has passed for `idle_timeout` (0:
  /// never). All that it refers to outlives run().
  DatagramRelay(Scope& parent, Datagram& a, Datagram& b, DatagramBatch& batch, Duration idle_timeout);
  virtual ~DatagramRelay() = default;
  DatagramRelay(const DatagramRelay&) = delete;
  DatagramRelay& operator=(const DatagramRelay&) = delete;

  /// Relays until one end has ended, nothing has passed for the idle time, or the scope is stopped. Returns what
  /// broke it: nothing where `a` ended; Cause::eof where `b` did; Cause::timeout after the idle time; else the stop's
  /// or the system's error.
  Task<std::optional<Error>> run();

 protected:
  /// Sends on what came from a, or from b. A datagram that cannot be passed on harms only itself.
  virtual void pass_forth(std::span<const ReceivedDatagram> datagrams) = 0;
  virtual void pass_back(std::span<const ReceivedDatagram> datagrams) = 0;
  /// Something that was sent to b did not arrive; an errno of b.
  virtual void not_arrived(int /*error*/) {}

  /// Something has passed: the idle time begins anew.
  void touch() { last_passed_ = loop_.now(); }
  /// False if the relay was stopped while it waited; then it has ended.
  bool ready(Outcome outcome);
  /// Ends the relay; the first reason counts.
  void end(std::optional<Error> error);
  /// For what a derived class runs beside the two directions; joined by run().
  TaskGroup& group() { return group_; }

 private:
  Task<> forth();
  Task<> back();
  Task<bool> flush(Datagram& to);
  void on_timer();

  Datagram& a_;
  Datagram& b_;
  DatagramBatch& batch_;
  Duration idle_timeout_;
  TaskGroup group_;
  Loop& loop_;
  TimePoint last_passed_;
  bool ended_ = false;
  std::optional<Error> error_;
};

/// What happens to the datagrams of one direction of a forward.
struct DatagramDirection {
  /// Everything goes to this peer, whatever address it came with; nothing: to the address (or name) it came with.
  std::optional<SocketAddress> to;
  /// Longer ones (in bytes) are dropped and counted: a datagram that was cut off would be a corrupt one.
  std::size_t longest = std::numeric_limits<std::size_t>::max();
};

struct DatagramRelayOptions {
  DatagramDirection forth;  ///< from a to b
  DatagramDirection back;   ///< from b to a
  Duration idle_timeout = Duration::zero();
  /// Told of an error that kept datagrams from being sent, when it is another one than the last time. False ends the
  /// relay with it.
  std::function<bool(const Error&)> not_sent;
};

/// Where a relay counts while it runs; its owner keeps the numbers. `a` is the client.
struct DatagramRelayCounters {
  std::uint64_t& datagrams_from_a;  ///< received, those included that were dropped afterwards
  std::uint64_t& bytes_from_a;
  std::uint64_t& datagrams_to_a;  ///< sent
  std::uint64_t& bytes_to_a;
  std::uint64_t& dropped;  ///< either way: too long, unreachable, no room
};

/// Passes datagrams on between `a` and `b` as they are, to fixed peers or to where they say; as of DatagramRelay.
/// What the ends discarded by themselves is not among the dropped: see Datagram::discarded().
Task<std::optional<Error>> relay_datagrams(Datagram& a, Datagram& b, DatagramBatch& batch,
                                           DatagramRelayOptions options, DatagramRelayCounters counters);

}  // namespace gost
