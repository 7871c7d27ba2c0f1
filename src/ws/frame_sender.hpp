// FrameSender: puts messages and control frames on the stream below, whole (RFC 6455 §5).
#pragma once

#include "net/pools.hpp"
#include "net/stream.hpp"
#include "ws/frame.hpp"

#include <optional>
#include <vector>

namespace gost::ws {

struct SenderOptions {
  Role role = Role::server;
  bool compression = false;                           ///< every message is compressed
  std::size_t max_payload = BufferPool::kBufferSize;  ///< of a frame; longer writes become several messages
};

/// A frame that has begun owes the rest of its payload. It keeps only how much that is (and how it is masked): the
/// caller's next bytes are the rest. So nothing is copied or kept on the way to a socket, and one borrowed buffer is
/// used while it masks. Only a compressed message is kept until it has left.
class FrameSender {
 public:
  /// Both must live as long as it.
  FrameSender(Stream& below, BufferPool& buffers, const SenderOptions& options)
      : below_(below), buffers_(buffers), options_(options) {}

  /// As Stream::try_write. After would_block the next call must begin with the same bytes.
  IoResult write(Bytes from);
  /// A control frame, to be sent as soon as no other frame is under way. Of those that cannot leave, about 4 KiB are
  /// kept: then the newest takes the place of the one before it, as §5.5.3 allows for pongs.
  void queue(Opcode opcode, Bytes payload);
  /// Writes what is queued, if that may be now. moved(0): nothing is queued any more, or a frame is under way.
  IoResult flush();

  /// Control frames are queued, and nobody but flush() would send them.
  bool waiting() const { return !control_.empty() && !under_way(); }
  /// Whether a frame has begun and not ended.
  bool under_way() const { return kept_ || left_ > 0; }
  /// Bytes that control frames occupy until they are sent.
  std::size_t queued() const { return control_.size(); }
  /// Bytes of messages, with their heads, that the stream below has taken so far.
  std::uint64_t sent() const { return sent_; }
  /// Compressed bytes that are not sent yet.
  std::size_t kept() const { return kept_ ? kept_->size : 0; }

 private:
  struct Kept {
    BufferPool::Buffer buffer;
    std::size_t begin;
    std::size_t size;
    std::size_t plain;  ///< bytes that it stands for
  };

  FrameHeader header_for(Opcode opcode, std::size_t length) const;
  void begin(std::size_t length);
  IoResult send(Bytes payload);
  IoResult gather(Bytes head, Bytes payload);
  IoResult copy(Bytes head, Bytes payload);
  IoResult compress(Bytes from);
  IoResult send_kept(std::size_t most);

  Stream& below_;
  BufferPool& buffers_;
  const SenderOptions options_;
  // The frame under way.
  FrameHead head_;
  std::uint8_t head_sent_ = 0;
  MaskKey key_{};
  std::size_t length_ = 0;
  std::size_t left_ = 0;  ///< payload bytes that are still owed
  std::optional<Kept> kept_;
  std::uint64_t sent_ = 0;
  // Control frames. What the stream below has seen of them it must see again: a TLS may have encrypted it.
  std::vector<std::uint8_t> control_;
  std::size_t control_sent_ = 0;
  std::size_t control_shown_ = 0;
  std::size_t last_control_ = 0;  ///< where the last one begins
};

}  // namespace gost::ws
