// SmuxStream: what an smux session knows of one of its streams. No I/O.
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "mux/byte_queue.hpp"
#include "mux/smux_frame.hpp"
#include "net/stream.hpp"
#include "runtime/list.hpp"

#include <cstddef>
#include <cstdint>

namespace gost {

class SmuxMachine;
struct SmuxTableTag;
struct SmuxControlTag;

/// Told what happens to a stream. May try nothing on the machine before the call that told it has returned.
class SmuxObserver {
 public:
  /// There is something to read: bytes or the end.
  virtual void readable() = 0;
  /// There is something to send now, or nothing ever more.
  virtual void writable() = 0;
  /// The session has ended.
  virtual void ended() = 0;

 protected:
  ~SmuxObserver() = default;
};

/// Owned by whoever opened or accepted it; outlives its session safely. Destroying it closes it: what is unread is
/// discarded and the peer gets a FIN (wire.md §6.6), or nothing at all if it never heard of the stream.
class SmuxStream : public ListHook<SmuxTableTag>, public ListHook<SmuxControlTag> {
 public:
  /// The machine makes them.
  SmuxStream(SmuxMachine& machine, std::uint32_t id);
  ~SmuxStream() { close(); }

  std::uint32_t id() const { return id_; }
  void observe(SmuxObserver* observer) { observer_ = observer; }

  /// Whether read() returns something else than would_block.
  bool readable() const { return !queue_.empty() || remote_finished_ || machine_ == nullptr; }
  /// What is buffered; then eof if the peer has sent FIN, ECONNRESET if the session has ended without it.
  IoResult read(MutableBytes into, TimePoint now);

  /// Why nothing can be sent any more (an errno), or 0. EPIPE: closed, shut down, finished by the peer, or the
  /// session has ended. EPROTO: the peer claims to have read more than was sent.
  int send_error() const;
  /// How many bytes the peer's window takes now; 0 when there is an error.
  std::size_t sendable() const;
  /// The header of the frames that carry its bytes, with length 0.
  SmuxHeader header() const;
  /// So many of the sendable bytes are on their way, in frames of at most max_frame_size.
  void sent(std::size_t bytes) { sent_ += static_cast<std::uint32_t>(bytes); }

  /// FIN; reading goes on. ENOTSUP unless the session's options say that half-closing is possible.
  IoResult shutdown();
  /// FIN if need be; nothing can be read or sent afterwards.
  void close();

 private:
  friend class SmuxMachine;

  /// Until the peer says something else (§6.4).
  static constexpr std::uint32_t kFirstWindow = 262144;

  SmuxMachine* machine_;  ///< null when the session has ended or the stream is closed
  SmuxObserver* observer_ = nullptr;
  const std::uint32_t id_;
  bool unannounced_ = false;  ///< its SYN has not been sent
  bool wants_update_ = false;
  bool announced_window_ = false;
  bool remote_finished_ = false;
  bool remote_closed_ = false;  ///< the peer does not read either
  bool end_seen_ = false;       ///< the reader knows that there is no more
  bool finished_ = false;       ///< shut down
  bool closed_ = false;

  ByteQueue queue_;
  std::uint64_t received_ = 0;
  std::uint64_t consumed_ = 0;            ///< read by our side
  std::uint64_t reported_ = 0;            ///< `consumed_` at the last UPD
  std::uint64_t granted_ = kFirstWindow;  ///< the peer may send up to here; never goes back
  std::uint32_t window_;
  std::uint64_t measured_from_ = 0;  ///< `consumed_` at `measured_at_`
  TimePoint measured_at_{};
  bool was_dry_ = false;  ///< the reader had read everything since then

  std::uint32_t sent_ = 0;  ///< modulo 2^32, as the three that follow
  std::uint32_t peer_consumed_ = 0;
  std::uint32_t peer_window_ = kFirstWindow;
};

}  // namespace gost
