// SmuxMachine: one smux session (wire.md §6) without I/O; time is an argument.
#pragma once

#include "core/duration.hpp"
#include "mux/smux_options.hpp"
#include "mux/smux_stream.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gost {

/// The client opens streams 3, 5, 7, …, the server 2, 4, 6, … (§6.3).
enum class SmuxSide : std::uint8_t { client, server };

/// The ids of the streams that one side opens.
class SmuxIds {
 public:
  /// `last` is the one that was used last; its parity is the side's.
  explicit SmuxIds(std::uint32_t last) : last_(last) {}
  explicit SmuxIds(SmuxSide side) : SmuxIds(side == SmuxSide::client ? 1U : 0U) {}

  bool exhausted() const { return last_ >= 0xffff'fffe; }
  /// Must not be exhausted.
  std::uint32_t next() { return last_ += 2; }

 private:
  std::uint32_t last_;
};

/// Frames that come in go to the streams; frames to send come out in two ways. Control frames are queued in the
/// machine (take_control()). Bytes of a stream never are: whoever writes a stream asks it for sendable(), makes
/// frames and says sent(). The one rule: all control frames that there are leave before a stream's frame, and a frame
/// leaves whole. So SYN is in front of the first PSH, and FIN, queued at the close, behind the last one.
class SmuxMachine {
 public:
  /// Streams of the peer that wait in take_accepted(); those beyond are refused with a FIN.
  static constexpr std::size_t kBacklog = 1024;
  /// With so many FINs unsent nothing more is read: a peer that opens streams has to read as well.
  static constexpr std::size_t kMaxQueuedFins = 1024;
  /// The window of a stream grows up to here (and as max_receive_buffer allows).
  static constexpr std::uint32_t kMaxWindow = 4'194'304;

  /// `options` must be valid.
  SmuxMachine(const SmuxOptions& options, SmuxSide side, TimePoint now);
  SmuxMachine(const SmuxMachine&) = delete;
  SmuxMachine& operator=(const SmuxMachine&) = delete;
  ~SmuxMachine() { end(); }

  const SmuxOptions& options() const { return options_; }
  std::uint8_t version() const { return static_cast<std::uint8_t>(options_.version); }

  /// Bytes from the peer, cut anywhere. An error (Cause::protocol) ends the session and stays: another version, an
  /// unknown command, more bytes of a stream than its window takes.
  Result<> input(Bytes bytes);
  /// False while too much is unread or unsent (§6.5); what is given nevertheless is taken.
  bool wants_input() const { return budget_ > 0 && fins_.size() < kMaxQueuedFins; }
  /// A frame has begun and not ended: the peer's end now is not an orderly one.
  bool within_frame() const { return head_size_ > 0 || payload_left_ > 0; }

  /// A new stream; its SYN is queued. Errors (Cause::exhausted): there are no more ids.
  Result<std::unique_ptr<SmuxStream>> open();
  bool can_open() const { return !ids_.exhausted(); }
  /// The streams that the peer has opened since the last call, oldest first.
  std::vector<std::unique_ptr<SmuxStream>> take_accepted() { return std::exchange(accepted_, {}); }

  bool has_control() const { return nop_ || !control_.empty() || !fins_.empty(); }
  /// Puts queued frames into `into`, as many as fit; how many bytes that are.
  std::size_t take_control(MutableBytes into);

  /// When expire() has something to do; nothing without keepalive.
  std::optional<TimePoint> next_timeout() const;
  /// Queues a NOP when it is time. The error (Cause::timeout) when the peer has been silent for too long (§6.7).
  Result<> expire(TimePoint now);

  /// Tells all streams that the session has ended, and forgets them.
  void end();

  /// Streams that have not been closed by our side.
  std::size_t streams() const { return table_.size(); }
  /// What may still be received and not read; negative when it is more than that.
  std::int64_t budget() const { return budget_; }

 private:
  friend class SmuxStream;
  /// The peer chooses ids, so their places in the table must not be foreseeable.
  struct Hash {
    std::uint64_t secret;
    std::size_t operator()(std::uint32_t id) const;
  };

  void take_head();
  void take_syn(std::uint32_t id);
  void take_fin(SmuxStream& stream);
  void take_psh(SmuxStream* stream, std::size_t length);
  void take_payload(Bytes bytes);
  static void take_update(SmuxStream& stream, const SmuxUpdate& update);
  SmuxStream* find(std::uint32_t id);

  // For the streams.

  /// `bytes` of `stream` have been read.
  void consumed(SmuxStream& stream, std::size_t bytes, TimePoint now);
  void queue_fin(std::uint32_t id) { fins_.push_back(id); }
  void forget(SmuxStream& stream);

  void grow_window(SmuxStream& stream, TimePoint now);
  void queue_control(SmuxStream& stream);

  const SmuxOptions options_;
  SmuxIds ids_;
  std::unordered_map<std::uint32_t, SmuxStream*, Hash> table_;
  List<SmuxStream, SmuxTableTag> streams_;
  std::vector<std::unique_ptr<SmuxStream>> accepted_;

  std::array<std::uint8_t, kSmuxHeaderSize + kSmuxUpdateSize> head_{};
  std::size_t head_size_ = 0;
  std::size_t head_wanted_ = kSmuxHeaderSize;
  std::size_t payload_left_ = 0;
  SmuxStream* payload_of_ = nullptr;  ///< null: it is discarded
  std::optional<Error> error_;
  std::int64_t budget_;
  std::int64_t extra_windows_ = 0;  ///< by how much windows have grown, together

  List<SmuxStream, SmuxControlTag> control_;  ///< those with a SYN or UPD to send
  std::vector<std::uint32_t> fins_;
  bool nop_ = false;

  TimePoint next_nop_;
  TimePoint next_check_;
  bool heard_ = false;  ///< a header since the last check
};

}  // namespace gost
