// MuxSession: many streams over one (smux, wire.md §6, or yamux).
#pragma once

#include "mux/frame_writer.hpp"
#include "mux/machine.hpp"
#include "mux/options.hpp"
#include "mux/send_turns.hpp"
#include "mux/stream.hpp"
#include "net/io_context.hpp"
#include "runtime/event.hpp"
#include "runtime/task_group.hpp"

#include <memory>
#include <optional>

namespace gost {

/// Takes the streams that the peer opens. Called from within the session's run(): it must not destroy the session.
class MuxSink {
 public:
  virtual void accepted(std::unique_ptr<MuxStream> stream) = 0;

 protected:
  ~MuxSink() = default;
};

/// Whether the reason for which a session ended is of interest: that a peer has gone is not, unless a layer below
/// says more of it than the system does.
inline bool worth_telling(const Error& reason) {
  if (reason.cause == Cause::reset)
    return !reason.text.ends_with("connection reset by peer") && !reason.text.ends_with("broken pipe");
  return reason.cause != Cause::canceled && reason.cause != Cause::eof;
}

/// Owns the stream below and belongs to its loop. Idle it holds no buffer. Its streams may outlive it.
class MuxSession {
 public:
  /// `options` must be valid (validate()). Without a sink the streams that the peer opens are closed at once (§5.2).
  MuxSession(IoContext& io, std::unique_ptr<Stream> below, const MuxOptions& options, MuxSide side,
             MuxSink* sink = nullptr);
  MuxSession(const MuxSession&) = delete;
  MuxSession& operator=(const MuxSession&) = delete;
  /// When run() has ended, or was never called.
  ~MuxSession();

  /// Reads, writes and watches over the peer. Ends with the reason when the session breaks, with nothing when the
  /// stream below ends in good order, end() is called or the scope is stopped. The stream below is closed then, and
  /// the session's streams have ended: they give what is buffered, then eof behind a FIN and without one a reset,
  /// whose error() is that reason.
  Task<std::optional<Error>> run();

  /// A new stream, without a round trip: what opens it leaves with its first bytes or in the loop's next turn.
  /// Errors: the session has ended (Cause::reset) or takes no more streams (Cause::exhausted).
  Result<std::unique_ptr<MuxStream>> open();
  /// Whether open() is worth a try. False as soon as the connection below is known to be dead.
  bool usable() const;
  /// Those that our side has not closed.
  std::size_t streams() const { return machine_->streams(); }
  /// Has run() end; frames that are queued still leave if there is room for them.
  void end() { conclude(std::nullopt); }
  /// Has run() end when our side has closed every stream: at once if that is so already and nothing is on its way to
  /// the peer. Otherwise streams are neither opened nor accepted from then on, all that was written is delivered, the
  /// stream below is shut down, and run() ends with the peer's end, or when nothing has moved for 10 seconds.
  void end_when_idle();

  // For its streams.

  Loop& loop() const { return io_.loop; }
  /// Bytes of `stream`; would_block behind others.
  IoResult write(MuxStream& stream, Bytes from);
  /// Whether write() would reach the stream below.
  bool may_write(const MuxStream& stream);
  /// `stream` waits for its turn.
  void wait_to_write(MuxStream& stream);
  /// The machine may have frames to send, or may want to read again.
  void machine_changed();
  /// Bytes of `stream` that the stream below has not taken.
  std::size_t undelivered(const MuxStream& stream) const { return &stream == kept_of_ ? writer_.pending_bytes() : 0; }
  void forget(MuxStream& stream);

 private:
  Task<> receive();
  Task<> send();
  Task<> keep_alive();
  Task<> watch_leaving();
  IoResult read_once();
  IoResult discard();
  void deliver();
  IoResult flush();
  void leave_if_idle();
  /// Bytes that the peer does not have yet; not 0 while there are any.
  std::size_t on_the_way() const;
  /// The first reason counts.
  void conclude(std::optional<Error> error);
  IoResult write_failed(const IoResult& io);
  void finish();

  IoContext& io_;
  std::unique_ptr<Stream> below_;
  MuxSink* sink_;
  std::unique_ptr<MuxMachine> machine_;
  const std::shared_ptr<MuxPath> path_;
  FrameWriter writer_;
  SendTurns turns_;
  const MuxStream* kept_of_ = nullptr;  ///< whose frame the writer keeps the rest of
  Event to_send_;
  Event may_read_;
  TaskGroup* group_ = nullptr;  ///< while run() runs
  bool concluded_ = false;
  bool ends_when_idle_ = false;
  bool leaving_ = false;    ///< the last stream has ended, and what it said is being delivered
  bool shut_down_ = false;  ///< the stream below; nothing is sent any more, and what comes is of no interest
  int write_error_ = 0;
  std::optional<Error> error_;
};

}  // namespace gost
