// Arq: one KCP session (wire.md §12.5, §12.6) without I/O; time is an argument.
#pragma once

#include "core/error.hpp"
#include "kcp/receive_side.hpp"
#include "kcp/send_side.hpp"

#include <cstddef>
#include <optional>

namespace gost::kcp {

/// Turns bytes into segments and segments into bytes, each once and in order, whatever the network does to the
/// packets. In contrast to kcp-go a retransmission that acknowledgements ask for does not wait for the next look at
/// the clock, and neither do acknowledgements of many segments, or of one that came out of turn.
class Arq {
 public:
  /// `pool` must live as long.
  Arq(ShardPool& pool, std::uint32_t conversation, const ArqOptions& options);
  Arq(const Arq&) = delete;
  Arq& operator=(const Arq&) = delete;

  std::uint32_t conversation() const { return conversation_; }

  /// Where a packet comes from: the network, or error correction, which tells nothing about now.
  enum class Origin : std::uint8_t { network, restored };
  /// Takes the segments of a packet. False if it is malformed or of another session, from some segment on.
  bool input(Bytes packet, Millis now, Origin origin = Origin::network);

  /// Takes as much of `from` as there is room for; how much that is. It leaves with the next flush.
  std::size_t write(Bytes from, Millis now);
  bool writable() const { return sending_.writable(); }
  /// Bytes written that the peer has not acknowledged.
  std::size_t unacknowledged() const { return sending_.unacknowledged(); }
  /// Moves what has come and fits to `into`.
  std::size_t read(MutableBytes into, Millis now);
  std::size_t readable() const { return receiving_.readable(); }
  /// Nobody reads any more: what comes is acknowledged and dropped.
  void discard() { receiving_.discard(); }

  /// Puts what is due into `sink`. False if it had no room for all of that: then flush() is due again at once.
  /// `may_time_out`: everything that the network has brought was given to input().
  bool flush(Millis now, SegmentSink& sink, bool may_time_out = true);
  /// When flush() has something to do; nothing for an idle session.
  std::optional<Millis> next_timeout() const;

  /// Why the session cannot go on: the peer is silent (Cause::timeout) or does not know it any more (Cause::reset):
  /// it has answered three transmissions, each at least a retransmission timeout after the one before, as if it had
  /// not received what it had acknowledged, and acknowledged nothing between. Stays; looked for by input() and
  /// flush().
  const std::optional<Error>& failure() const { return failure_; }

  const SendStatistics& statistics() const { return sending_.statistics(); }
  const RttEstimator& rtt() const { return sending_.rtt(); }

 private:
  void doubt(const Segment& denial);
  void take_data(const Segment& segment, Millis now);
  void flush_by(Millis when);
  void heard(Millis now);
  void probe(Millis now);
  bool flush_acknowledgements(SegmentSink& sink);
  bool flush_probes(SegmentSink& sink);
  bool put(Command command, std::uint32_t number, Millis timestamp, SegmentSink& sink);
  void check_peer(Millis now);

  const std::uint32_t conversation_;
  const ArqOptions options_;
  SendSide sending_;
  ReceiveSide receiving_;
  std::optional<Millis> flush_at_;
  std::optional<Millis> early_at_;  ///< from then on what was overtaken once is lost
  std::optional<Millis> probe_at_;  ///< the peer's window is shut: ask
  Millis probe_wait_ = 0;
  std::optional<Millis> waiting_since_;  ///< for an acknowledgement, or an answer about the window
  bool ask_ = false;
  bool tell_ = false;
  int denials_ = 0;    ///< answers, since the last acknowledgement, as of a peer that has forgotten the session
  Millis denied_ = 0;  ///< when what the last of them answers had left
  bool gap_ = false;   ///< something is missing in front of what came last
  std::optional<Error> failure_;
};

}  // namespace gost::kcp
