// WebSocket over any stream, at both ends, after the handshake (RFC 6455 §5 to §7, wire.md §10.3).
#pragma once

#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "ws/deflate.hpp"
#include "ws/frame_decoder.hpp"
#include "ws/frame_sender.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gost::ws {

struct StreamOptions {
  SenderOptions sender;
  /// Ping so often; a peer from which nothing comes for twice as long ends the stream. The time does not run while
  /// payload that was written is on its way, since our pings are behind it: then a dead path is TCP's to find out. 0:
  /// no pings of our own.
  Duration ping_interval = Duration::zero();
  std::optional<SocketAddress> client;  ///< what remote() says: the client's address in a trusted proxy's words
};

/// A write is a binary message or several; the boundaries of messages that come carry no meaning. Pings are answered
/// whenever somebody reads. A Close is answered and ends both directions, in order if it says 1000, 1001 or nothing,
/// else (or within a message) as a reset with what it said in error(); without one, the end of the stream below is
/// the end, if it does not cut a message. What the peer may not do is answered by a Close that says so (1002), and
/// error() has the sentence. Half-closing ends the lower stream's sending side, without a Close, as GOST does. Idle
/// it holds no buffer.
class WsStream final : public Stream, private Timer {
 public:
  /// `first`: bytes behind the handshake that have been read already, at most 64 KiB.
  WsStream(IoContext& io, std::unique_ptr<Stream> below, const StreamOptions& options, Bytes first = {});
  WsStream(const WsStream&) = delete;
  WsStream& operator=(const WsStream&) = delete;
  ~WsStream() override;

  IoResult try_read(MutableBytes into) override;
  /// After would_block the next call must begin with the same bytes.
  IoResult try_write(Bytes from) override;
  IoResult try_shutdown() override;
  void abort() override { below_->abort(); }
  std::size_t undelivered() const override { return below_->undelivered() + sender_.kept(); }
  bool closed() const override { return closed_ && !failure_; }
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return below_->waiting(interest); }
  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return client_.value_or(below_->remote()); }
  std::string layers() const override { return below_->layers() + ",ws"; }
  Error error(int number) const override;

 private:
  /// Bytes from below that nobody has taken yet.
  struct Input {
    std::optional<BufferPool::Buffer> buffer;
    std::size_t begin = 0;
    std::size_t size = 0;

    MutableBytes view() const { return buffer ? buffer->bytes().subspan(begin, size) : MutableBytes(); }
    void drop(std::size_t count) {
      begin += count;
      size -= count;
      if (size == 0) buffer.reset();
    }
  };
  /// How reading goes on.
  enum class Next : std::uint8_t { again, later };

  Next read_from_below(MutableBytes into, std::size_t& moved);
  Next decode(MutableBytes into, std::size_t& moved);
  Next inflate(MutableBytes into, std::size_t& moved);
  void begin_to_inflate();
  Next finish_message();
  void answer_close();
  bool within_a_message() const { return !decoder_.at_a_boundary() || inflater_; }
  Next below_ended(const IoResult& io);
  /// The peer did what it may not do; `which` goes into its Close, too.
  Next broken_rule(const std::string& which);
  Next cannot_inflate(const Error& error);
  /// Ends both directions with this sentence and, if `close_code` is one, a Close.
  Next break_off(int number, Error error, std::uint16_t close_code, std::string_view reason);
  void send_control();

  void on_timer();
  void keep_alive();
  bool payload_moves();
  void retry();
  void arm();
  void wake(Interest interest);

  IoContext& io_;
  std::unique_ptr<Stream> below_;
  FrameDecoder decoder_;
  FrameSender sender_;
  Input input_;
  std::unique_ptr<Inflater> inflater_;  ///< while a compressed message comes
  std::size_t inflating_ = 0;           ///< bytes at the front of input_ that it has been fed
  std::optional<SocketAddress> client_;
  const Duration ping_interval_;
  TimePoint last_heard_;
  TimePoint next_ping_;
  std::uint64_t arrived_ = 0;  ///< of the sender's sent(): what had arrived at the last look
  Duration retry_;             ///< the next pause before control frames are tried again
  std::unique_ptr<Error> failure_;
  int failure_number_ = 0;
  const Role role_;
  bool ended_ = false;   ///< nothing more to read
  bool closed_ = false;  ///< a Close is sent or on its way
  bool shut_down_ = false;
  bool paused_ = false;  ///< the peer sends much that is no payload: others go first
};

}  // namespace gost::ws
