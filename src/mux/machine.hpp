// MuxMachine: many streams over one, without I/O; what MuxSession drives, whichever protocol it is.
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "net/stream.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace gost {

/// The client is who connects in a transport, and the proxy in MBIND (wire.md §5.1, §11). Each side opens streams
/// with ids of its own.
enum class MuxSide : std::uint8_t { client, server };

/// Told what happens to a stream. May try nothing on the machine before the call that told it has returned.
class MuxObserver {
 public:
  /// There is something to read: bytes or the end.
  virtual void readable() = 0;
  /// There is something to send now, or nothing ever more.
  virtual void writable() = 0;
  /// The session has ended.
  virtual void ended() = 0;

 protected:
  ~MuxObserver() = default;
};

/// The header of a frame that carries bytes of a stream.
struct MuxHeader {
  std::array<std::uint8_t, 12> bytes;
  std::size_t size;

  Bytes view() const { return Bytes(bytes).first(size); }
};

/// What a session knows of one of its streams. Owned by whoever opened or accepted it; outlives its session safely.
/// Destroying it closes it.
class MuxMachineStream {
 public:
  explicit MuxMachineStream(std::uint32_t id) : id_(id) {}
  MuxMachineStream(const MuxMachineStream&) = delete;
  MuxMachineStream& operator=(const MuxMachineStream&) = delete;
  virtual ~MuxMachineStream() = default;

  std::uint32_t id() const { return id_; }
  void observe(MuxObserver* observer) { observer_ = observer; }

  /// Whether read() returns something else than would_block.
  virtual bool readable() const = 0;
  /// What is buffered; then eof if the peer has ended the stream, ECONNRESET if it was broken or the session has
  /// ended without that.
  virtual IoResult read(MutableBytes into, TimePoint now) = 0;

  /// Why nothing can be sent any more (an errno), or 0. EPIPE: closed, shut down, finished by the peer, or the
  /// session has ended. EPROTO: the peer has broken a rule that concerns this stream alone.
  virtual int send_error() const = 0;
  /// How many bytes the peer's window takes now; 0 when there is an error.
  virtual std::size_t sendable() const = 0;
  /// The header of a frame with `length` of its bytes, at most MuxMachine::max_frame_size().
  virtual MuxHeader header(std::size_t length) const = 0;
  /// So many of the sendable bytes are on their way, in such frames.
  virtual void sent(std::size_t bytes) = 0;

  /// Ends the sending side; reading goes on. ENOTSUP where the peer may take that for the end of both.
  virtual IoResult shutdown() = 0;
  /// Ends it in good order: what is unread is discarded, and the peer is told, if it has ever heard of the stream.
  virtual void close() = 0;
  /// As close(), but the peer sees a broken stream where the protocol can say so.
  virtual void abort() = 0;

  /// The sentence for an error of read() or send_error().
  virtual Error error(int number) const { return Error::system(number); }

 protected:
  MuxObserver* observer_ = nullptr;

 private:
  const std::uint32_t id_;
};

/// Frames that come in go to the streams; frames to send come out in two ways. Control frames are queued in the
/// machine (take_control()). Bytes of a stream never are: whoever writes a stream asks it for sendable(), makes
/// frames and says sent(). The one rule: all control frames that there are leave before a stream's frame, and a frame
/// leaves whole. So what opens a stream is in front of its first bytes, and its end, queued at the close, behind the
/// last ones.
class MuxMachine {
 public:
  virtual ~MuxMachine() = default;

  /// "smux" or "yamux".
  virtual std::string_view name() const = 0;

  /// Bytes from the peer, cut anywhere. An error (Cause::protocol) ends the session and stays.
  virtual Result<> input(Bytes bytes) = 0;
  /// Not more than these bytes: then no more streams are opened than can wait in take_accepted().
  virtual std::size_t max_input() const = 0;
  /// False while too much is unread or unsent; what is given nevertheless is taken.
  virtual bool wants_input() const = 0;
  /// A frame has begun and not ended: the peer's end now is not an orderly one.
  virtual bool within_frame() const = 0;

  /// A new stream; what opens it is queued. Errors (Cause::exhausted): no more can be opened.
  virtual Result<std::unique_ptr<MuxMachineStream>> open() = 0;
  virtual bool can_open() const = 0;
  /// The streams that the peer has opened since the last call, oldest first.
  virtual std::vector<std::unique_ptr<MuxMachineStream>> take_accepted() = 0;

  virtual bool has_control() const = 0;
  /// Puts queued frames into `into`, as many as fit; how many bytes that are.
  virtual std::size_t take_control(MutableBytes into) = 0;
  /// Payload of a stream's frame.
  virtual std::size_t max_frame_size() const = 0;

  /// When expire() has something to do; nothing without keepalive.
  virtual std::optional<TimePoint> next_timeout() const = 0;
  /// Queues a sign of life when it is time. The error (Cause::timeout) when the peer has been silent for too long.
  virtual Result<> expire(TimePoint now) = 0;

  /// Tells all streams that the session has ended, and forgets them.
  virtual void end() = 0;

  /// Streams that have not been closed by our side.
  virtual std::size_t streams() const = 0;
  /// What may still be received and not read; negative when it is more than that.
  virtual std::int64_t budget() const = 0;
};

}  // namespace gost
