// SendSide: the half of a KCP session that sends data: what was written and is not acknowledged, and when each
// segment leaves (again) (wire.md §12.6).
#pragma once

#include "core/bytes.hpp"
#include "kcp/arq_options.hpp"
#include "kcp/congestion.hpp"
#include "kcp/rtt.hpp"
#include "kcp/segment.hpp"
#include "kcp/sequence.hpp"
#include "kcp/shard_pool.hpp"
#include "kcp/skip_counter.hpp"

#include <cstddef>
#include <optional>

namespace gost::kcp {

/// Where segments are put on their way to the network.
class SegmentSink {
 public:
  /// Room for a segment of `size` bytes, header and data, which the caller fills. Empty: no more for now.
  virtual MutableBytes room(std::size_t size) = 0;

 protected:
  ~SegmentSink() = default;
};

struct SendStatistics {
  std::uint64_t sent = 0;       ///< segments for the first time
  std::uint64_t overtaken = 0;  ///< again, since later ones had arrived
  std::uint64_t timed_out = 0;  ///< again, since nothing was heard
};

/// No I/O and no clock. An acknowledgement costs the same however much is on its way. With nothing unacknowledged it
/// holds next to no memory.
class SendSide {
 public:
  SendSide(ShardPool& pool, const ArqOptions& options);

  /// Takes as much of `from` as there is room for; how much that is.
  std::size_t write(Bytes from);
  bool writable() const { return in_use() < limit(); }
  /// Bytes written and not acknowledged.
  std::size_t unacknowledged() const { return bytes_; }
  bool empty() const { return first_ == end_; }
  bool has_unsent() const { return next_ != end_; }
  bool in_flight() const { return first_ != next_; }

  /// The peer says that it has received everything before `una`. True if that is news; a number that was never sent
  /// is no news.
  bool acknowledge_before(std::uint32_t una);
  /// The peer has received the segment `number` as it was sent at `echo`. True if that is news; a number that was
  /// never sent is no news.
  bool acknowledge(std::uint32_t number, Millis echo);
  /// Whether an answer to the segment `number`, which is on its way, claims to have received only what is before
  /// `una`, although more had been acknowledged when it left first.
  bool contradicts(std::uint32_t number, std::uint32_t una) const;
  /// When the segment `number`, which is on its way, left last.
  Millis last_sent(std::uint32_t number) const { return places_[number].sent; }
  /// Whether a segment of that number may be on its way or just have been acknowledged: an echo of its time counts.
  bool sent_recently(std::uint32_t number) const;
  void set_peer_window(std::uint32_t window) { peer_window_ = window; }
  std::uint32_t peer_window() const { return peer_window_; }
  /// A packet that acknowledged something has been worked up.
  void packet_acknowledged() {
    if (options_.congestion_control) congestion_.acknowledged(peer_window_);
  }
  void sample_rtt(Millis rtt) { rtt_.sample(rtt); }
  const RttEstimator& rtt() const { return rtt_; }

  /// Whether segments that were overtaken should leave again at once.
  bool has_lost() const;
  /// Whether something was overtaken at all.
  bool has_overtaken() const;
  /// Whether a segment can leave for the first time.
  bool can_send() const;
  /// No segment times out before then; nothing if none is on its way. The moment may come without one.
  std::optional<Millis> earliest_timeout() const;

  struct Flush {
    Millis now;
    bool may_time_out;     ///< what the network has brought was looked at
    bool early;            ///< with nothing new to send, once overtaken is lost
    std::uint16_t window;  ///< of our receiving side, and what it expects
    std::uint32_t expected;
    std::uint32_t conversation;
  };
  /// Puts what is due into `sink`. False if it had no room for all of that.
  bool flush(const Flush& flush, SegmentSink& sink);

  const SendStatistics& statistics() const { return statistics_; }

 private:
  /// A segment that was written.
  struct Place {
    ShardPool::Block block;
    std::uint16_t size = 0;
    bool arrived = false;  ///< acknowledged, though not all before it
    Millis sent = 0;       ///< last time
    Millis timeout = 0;
    std::uint32_t order = 0;      ///< of its last transmission
    std::uint32_t known_una = 0;  ///< what the peer had received when it left first
    std::uint32_t older = 0;      ///< the segments on the way are linked in the order of transmission
    std::uint32_t newer = 0;
  };
  enum class Reason : std::uint8_t { first, overtaken, timeout };

  std::uint32_t in_use() const { return end_ - first_; }
  std::uint32_t limit() const;
  std::uint32_t window() const;
  bool is_on_way(std::uint32_t number) const;
  Place& append();
  void link(std::uint32_t number);
  void unlink(std::uint32_t number);
  void arrived(std::uint32_t number);
  bool overtaken(std::size_t times) const;
  bool transmit(std::uint32_t number, Reason reason, const Flush& flush, SegmentSink& sink);
  bool send_overtaken(std::size_t times, const Flush& flush, SegmentSink& sink, bool& any);
  bool send_timed_out(const Flush& flush, SegmentSink& sink, bool& any);
  bool send_new(const Flush& flush, SegmentSink& sink);
  void note_timeout(Millis due);

  ShardPool& pool_;
  const ArqOptions options_;
  RttEstimator rtt_;
  Congestion congestion_;
  SkipCounter skips_;
  SequenceRing<Place> places_;
  std::uint32_t first_;  ///< the first that is not acknowledged
  std::uint32_t next_;   ///< the first that was never sent
  std::uint32_t end_;    ///< behind the last that was written
  std::size_t bytes_ = 0;
  std::uint32_t order_ = 0;   ///< of the next transmission
  std::uint32_t on_way_ = 0;  ///< linked segments
  std::uint32_t oldest_ = 0;  ///< of those, by transmission
  std::uint32_t newest_ = 0;
  std::uint32_t peer_window_;
  std::optional<Millis> timeout_bound_;
  SendStatistics statistics_;
};

}  // namespace gost::kcp
