// Session: one KCP connection among those of a carrier.
#pragma once

#include "kcp/connection.hpp"
#include "runtime/list.hpp"
#include "runtime/loop.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost::kcp {

class Carrier;
class KcpStream;
struct TouchedTag;
struct DueTag;

/// Packets from the source of a session that were dropped.
struct Drops {
  std::uint64_t unopened = 0;   ///< sealed with another key, or damaged
  std::uint64_t malformed = 0;  ///< too short or too long, or not of KCP's format
  std::uint64_t foreign = 0;    ///< of another conversation
};

/// Belongs to its carrier, and has one stream above it. When that is closed, what was written still leaves until the
/// peer has acknowledged it, for a few seconds at most.
class Session final : public ListHook<TouchedTag>, public ListHook<DueTag>, private Timer {
 public:
  Session(Carrier& carrier, const PacketBatch::Target& target, std::uint32_t conversation);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// After end(), or when the stream is closed.
  ~Session();

  Carrier& carrier() const { return carrier_; }
  Connection& connection() { return connection_; }
  const Connection& connection() const { return connection_; }
  const PacketBatch::Target& target() const { return target_; }
  /// The own address that the peer knows, as its last packet tells.
  void set_local(const IpAddress& local) { target_.local = local; }

  // For its stream.

  void attach(KcpStream& stream) { stream_ = &stream; }
  /// The stream is closed. `reset`: what is still to be sent is dropped.
  void close(bool reset);

  // For its carrier.

  /// Wakes whoever waits for what came, and sees to it that flush() is called in time.
  void settle();
  /// Sets the timer for what is due next, but not before `earliest`.
  void arm(TimePoint earliest);
  /// Whether the carrier can destroy it.
  bool over(TimePoint now) const;
  /// Nothing goes on any more.
  void end(const Error& error);
  /// Why it ends: what the connection says.
  const std::optional<Error>& failure() const { return connection_.failure(); }
  Drops& drops() { return drops_; }

 private:
  void on_timer();

  Carrier& carrier_;
  Connection connection_;
  PacketBatch::Target target_;
  KcpStream* stream_ = nullptr;
  Drops drops_;
  std::optional<TimePoint> linger_until_;  ///< since the stream was closed
};

}  // namespace gost::kcp
