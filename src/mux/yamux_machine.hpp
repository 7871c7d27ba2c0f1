// YamuxMachine: one yamux session without I/O, as hashicorp's library 0.1.1 speaks it (wire.md §6.8).
#pragma once

#include "mux/framed_machine.hpp"
#include "mux/stream_ids.hpp"
#include "mux/yamux_options.hpp"
#include "mux/yamux_stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gost {

struct YamuxHalfClosedTag;

/// The client opens streams 1, 3, 5, …, the server 2, 4, 6, …. Errors of input(): another version, an unknown type, a
/// stream that is opened twice, more bytes of a stream than its window takes, a window that overflows, a GoAway with
/// an error; all but the last are told to the peer with a GoAway that is queued.
class YamuxMachine final : public FramedMachine {
 public:
  /// Streams of the peer that wait in take_accepted(); those beyond are refused. Also how many streams of ours the
  /// peer is thought to let wait: the SYNs of further ones are held back.
  static constexpr std::size_t kBacklog = 256;
  /// With so many answers and ends of streams unsent nothing more is read: a peer that makes them has to read as
  /// well.
  static constexpr std::size_t kMaxQueued = 1024;
  /// Streams that we have closed and the peer has not; beyond, the oldest is reset.
  static constexpr std::size_t kMaxHalfClosed = 1024;
  /// A ping is to be answered within this time.
  static constexpr Duration kPingTimeout = std::chrono::seconds(10);
  static constexpr std::size_t kMaxFrame = std::size_t{64} * 1024;

  /// `options` must be valid.
  YamuxMachine(const YamuxOptions& options, MuxSide side, TimePoint now);
  YamuxMachine(const YamuxMachine&) = delete;
  YamuxMachine& operator=(const YamuxMachine&) = delete;
  ~YamuxMachine() override { YamuxMachine::end(); }

  const YamuxOptions& options() const { return options_; }

  std::string_view name() const override { return "yamux"; }
  std::size_t max_input() const override { return payload_left_ + kBacklog * kYamuxHeaderSize; }
  bool wants_input() const override { return budget_ > 0 && pongs_.size() + farewells_.size() < kMaxQueued; }
  /// Also an error when the peer is going away.
  Result<std::unique_ptr<MuxMachineStream>> open() override;
  bool can_open() const override { return !peer_goes_away_ && !ids_.exhausted(); }
  std::vector<std::unique_ptr<MuxMachineStream>> take_accepted() override { return std::exchange(accepted_, {}); }
  bool has_control() const override {
    return go_away_ || ping_ || !pongs_.empty() || !control_.empty() || !farewells_.empty();
  }
  std::size_t take_control(MutableBytes into) override;
  std::size_t max_frame_size() const override { return kMaxFrame; }
  std::optional<TimePoint> next_timeout() const override {
    return options_.keepalive_disabled ? std::nullopt : std::optional(next_look_);
  }
  Result<> expire(TimePoint now) override;
  void end() override;
  std::size_t streams() const override { return count_; }
  std::int64_t budget() const override { return budget_; }

 private:
  friend class YamuxStream;
  /// A stream that is closed on our side, until the peer has closed it too.
  struct HalfClosed : ListHook<YamuxHalfClosedTag> {
    std::uint32_t id = 0;
    std::uint64_t window = 0;  ///< what the peer may still send, all of it in vain
    bool awaits_ack = false;
  };
  struct Farewell {
    std::uint32_t id;
    std::uint16_t flags;
  };

  // What comes in. All are about `frame_`, whose payload follows.

  std::size_t take_head(Bytes head) override;
  void take_frame();
  bool take_syn();
  void take_frame_of(YamuxStream& stream);
  void take_update(YamuxStream& stream);
  void take_payload(Bytes bytes) override;
  /// FIN and RST, which count behind the frame's payload.
  void take_end();
  void take_reset(YamuxStream& stream);
  void take_late_frame(HalfClosed& stream);
  void take_go_away();
  void break_off(std::string_view what);
  YamuxStream* find(std::uint32_t id) const;

  // For the streams.

  void consumed(YamuxStream& stream, std::size_t bytes);
  void finish(YamuxStream& stream);
  void forget(YamuxStream& stream, bool broken);

  void announce(YamuxStream& stream);
  /// The peer has accepted a stream of ours, or will not any more: a SYN that was held back may leave.
  void settle(bool& awaits_ack);
  void linger(const YamuxStream& stream);
  void reset(HalfClosed& stream);
  void farewell(std::uint32_t id, std::uint16_t flags) { farewells_.push_back({id, flags}); }
  void queue_control(YamuxStream& stream);
  YamuxHeader next_frame_of(YamuxStream& stream) const;
  std::uint64_t ungranted(const YamuxStream& stream) const { return stream.consumed_ + window_ - stream.granted_; }

  const YamuxOptions options_;
  const std::uint64_t window_;
  MuxIds ids_;
  std::unordered_map<std::uint32_t, YamuxStream*, MuxIdHash> table_;
  std::unordered_map<std::uint32_t, HalfClosed, MuxIdHash> half_closed_;
  List<HalfClosed, YamuxHalfClosedTag> half_closed_by_age_;
  List<YamuxStream, YamuxTableTag> streams_;
  std::size_t count_ = 0;  ///< of `streams_`
  std::vector<std::unique_ptr<MuxMachineStream>> accepted_;

  YamuxHeader frame_;                  ///< the last one that has begun
  YamuxStream* payload_of_ = nullptr;  ///< null: it is discarded
  std::int64_t budget_;

  List<YamuxStream, YamuxControlTag> control_;  ///< those with a frame to send
  List<YamuxStream, YamuxControlTag> held_;     ///< those whose SYN is held back
  std::size_t unaccepted_ = 0;                  ///< streams of ours with a SYN that the peer has not accepted
  std::vector<std::uint32_t> pongs_;
  std::vector<Farewell> farewells_;
  std::optional<YamuxGoAway> go_away_;
  bool peer_goes_away_ = false;

  std::optional<std::uint32_t> ping_;  ///< to be sent
  std::uint32_t pings_ = 0;
  TimePoint pinged_at_;  ///< or when the session began
  TimePoint next_look_;
  bool heard_ = true;  ///< a header since the last ping
};

}  // namespace gost
