// SnappyReader: the receiving half of a SnappyStream.
#pragma once

#include "core/bytes.hpp"
#include "kcp/snappy_chunk.hpp"
#include "net/pools.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace gost::kcp {

/// Reads chunks from the stream below and gives out what is in them once its checksum is known to be right. Holds
/// buffers only while there is something in them: part of a chunk, or what the caller had no room for.
class SnappyReader {
 public:
  /// Both must live as long as it.
  SnappyReader(Stream& below, BufferPool& buffers) : below_(below), buffers_(buffers) {}

  /// Fills `into` as far as what has come allows. would_block, eof and errors are those of the stream below, or
  /// EPROTO: see failure().
  IoResult read(MutableBytes into);
  /// Whether read() is worth a call: always true if it would give bytes, however small the last `into` was.
  bool ready() const { return plain_size_ > 0 || complete() || failure_ || below_.ready(Interest::read); }
  /// Why nothing can be read any more: the peer broke the format.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Bytes input() const { return {memory() + begin_, size_}; }
  std::uint8_t* memory() const { return large_ ? large_.get() : pooled_->bytes().data(); }
  std::size_t capacity() const { return large_ ? kLarge : BufferPool::kBufferSize; }

  /// Whether the next chunk is in memory with all of its body.
  bool complete() const { return kind_ && *kind_ != SnappyKind::skip && size_ >= body_; }
  /// Drops what is to be skipped, and takes headers off until the body of a chunk follows.
  Result<> look();
  /// The bytes that the next chunk, which is complete, has added to `into`.
  Result<std::size_t> take(MutableBytes into);
  /// Makes room for the rest of what is expected, and reads once.
  IoResult fill();
  void drop(std::size_t count);
  /// The bytes of plain_ that went to `into`.
  std::size_t give(MutableBytes into);
  void give_back_empty();

  /// A chunk may be larger than a buffer of the pool, though nobody makes such.
  static constexpr std::size_t kLarge = kSnappyMostBody;

  Stream& below_;
  BufferPool& buffers_;
  std::optional<BufferPool::Buffer> pooled_;
  std::unique_ptr<std::uint8_t[]> large_;  ///< instead of pooled_
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::optional<SnappyKind> kind_;  ///< of the chunk whose header has been taken off
  std::size_t body_ = 0;            ///< what is still to come of it or in memory
  bool begun_ = false;              ///< the identifier has been seen
  std::optional<BufferPool::Buffer> plain_;
  std::size_t plain_begin_ = 0;
  std::size_t plain_size_ = 0;
  std::optional<Error> failure_;
};

}  // namespace gost::kcp
