// SmuxMachine: one smux session (wire.md §6) without I/O; time is an argument.
#pragma once

#include "core/duration.hpp"
#include "mux/framed_machine.hpp"
#include "mux/smux_options.hpp"
#include "mux/smux_stream.hpp"
#include "mux/stream_ids.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gost {

/// The client opens streams 3, 5, 7, …, the server 2, 4, 6, … (§6.3). Errors of input(): another version, an unknown
/// command, more bytes of a stream than its window takes.
class SmuxMachine final : public FramedMachine {
 public:
  /// Streams of the peer that wait in take_accepted(); those beyond are refused with a FIN.
  static constexpr std::size_t kBacklog = 1024;
  /// With so many FINs unsent nothing more is read: a peer that opens streams has to read as well.
  static constexpr std::size_t kMaxQueuedFins = 1024;
  /// The window of a stream grows up to here (and as max_receive_buffer allows).
  static constexpr std::uint32_t kMaxWindow = 4'194'304;

  /// `options` must be valid.
  SmuxMachine(const SmuxOptions& options, MuxSide side, TimePoint now);
  SmuxMachine(const SmuxMachine&) = delete;
  SmuxMachine& operator=(const SmuxMachine&) = delete;
  ~SmuxMachine() override { SmuxMachine::end(); }

  const SmuxOptions& options() const { return options_; }
  std::uint8_t version() const { return static_cast<std::uint8_t>(options_.version); }

  std::string_view name() const override { return "smux"; }
  std::size_t max_input() const override { return payload_left_ + kBacklog * kSmuxHeaderSize; }
  bool wants_input() const override { return budget_ > 0 && ends_.size() < kMaxQueuedFins; }  // §6.5
  Result<std::unique_ptr<MuxMachineStream>> open() override;
  bool can_open() const override { return !ids_.exhausted(); }
  std::vector<std::unique_ptr<MuxMachineStream>> take_accepted() override { return std::exchange(accepted_, {}); }
  bool has_control() const override { return nop_ || sign_ || !control_.empty() || !ends_.empty(); }
  std::size_t take_control(MutableBytes into) override;
  std::size_t max_frame_size() const override { return static_cast<std::size_t>(options_.max_frame_size); }
  std::optional<TimePoint> next_timeout() const override;
  Result<> expire(TimePoint now) override;  // §6.7
  void end() override;
  std::size_t streams() const override { return table_.size(); }
  std::int64_t budget() const override { return budget_; }

 private:
  friend class SmuxStream;
  struct End {
    SmuxCommand command;  ///< fin, or nop for a half-close
    std::uint32_t id;
  };

  std::size_t take_head(Bytes head) override;
  void take_frame(const SmuxHeader& header, Bytes update);
  void take_syn(std::uint32_t id);
  void take_nop(std::uint32_t id);
  static void take_fin(SmuxStream& stream);
  void take_psh(SmuxStream* stream, std::size_t length);
  void take_payload(Bytes bytes) override;
  static void take_update(SmuxStream& stream, const SmuxUpdate& update);
  SmuxStream* find(std::uint32_t id);

  // For the streams.

  /// `bytes` of `stream` have been read.
  void consumed(SmuxStream& stream, std::size_t bytes, TimePoint now);
  void queue_fin(std::uint32_t id) { ends_.push_back({SmuxCommand::fin, id}); }
  void queue_half_close(std::uint32_t id) { ends_.push_back({SmuxCommand::nop, id}); }
  bool peer_half_closes() const { return peer_half_closes_; }
  void forget(SmuxStream& stream);

  /// Says that we understand half-closes, once.
  void sign();
  void grow_window(SmuxStream& stream, TimePoint now);
  void queue_control(SmuxStream& stream);

  const SmuxOptions options_;
  MuxIds ids_;
  std::unordered_map<std::uint32_t, SmuxStream*, MuxIdHash> table_;
  List<SmuxStream, SmuxTableTag> streams_;
  std::vector<std::unique_ptr<MuxMachineStream>> accepted_;

  SmuxStream* payload_of_ = nullptr;  ///< null: it is discarded
  std::int64_t budget_;
  std::int64_t extra_windows_ = 0;  ///< by how much windows have grown, together

  List<SmuxStream, SmuxControlTag> control_;  ///< those with a SYN or UPD to send
  std::vector<End> ends_;
  bool nop_ = false;
  bool sign_ = false;  ///< to be sent
  bool signed_ = false;
  bool peer_half_closes_ = false;

  TimePoint next_nop_;
  TimePoint next_check_;
  bool heard_ = false;  ///< a header since the last check
};

}  // namespace gost
