// SnappyWriter: the sending half of a SnappyStream.
#pragma once

#include "core/bytes.hpp"
#include "kcp/snappy_chunk.hpp"
#include "net/pools.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <optional>

namespace gost::kcp {

/// Puts what is written into chunks, and keeps of a chunk what the stream below does not take. Whoever sends what
/// cannot be compressed pays for trying only now and then. Idle it holds no buffer.
class SnappyWriter {
 public:
  /// Both must live as long as it.
  SnappyWriter(Stream& below, BufferPool& buffers) : below_(below), buffers_(buffers) {}

  /// As Stream::try_write; a chunk counts as written when all of it is. After would_block the next call must begin
  /// with the same bytes.
  IoResult write(Bytes from);
  /// Writes what is kept; moved(0): nothing is left.
  IoResult flush();
  std::size_t pending_bytes() const { return size_; }

 private:
  /// After so many chunks that did not get smaller, only every kSkip + 1st is tried.
  static constexpr unsigned kPatience = 4;
  static constexpr unsigned kSkip = 15;

  /// Makes a chunk of the front of `from`, and returns how much that is.
  std::size_t encode(Bytes from);

  Stream& below_;
  BufferPool& buffers_;
  std::optional<BufferPool::Buffer> buffer_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::size_t unacknowledged_ = 0;  ///< payload of the chunk that is kept
  bool begun_ = false;              ///< the identifier has been sent
  unsigned failures_ = 0;           ///< chunks in a row that did not get smaller
  unsigned skipped_ = 0;            ///< chunks since the last try
};

}  // namespace gost::kcp
