// SnappyStream: compresses what passes over any stream, in snappy's framing format (wire.md §12.8).
#pragma once

#include "core/bytes.hpp"
#include "kcp/snappy_reader.hpp"
#include "kcp/snappy_writer.hpp"
#include "net/pools.hpp"
#include "net/stream.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost::kcp {

/// A write becomes one chunk (of at most 54 KiB), compressed if that saves an eighth. As with TLS it is made once: if
/// the stream below takes only part of it, would_block is returned, and the next try_write (which must begin with the
/// same bytes) sends the rest and tells how many bytes that was. Idle it holds no buffer. After a chunk that breaks
/// the format reads fail with EPROTO, and error() has the sentence.
class SnappyStream final : public Stream {
 public:
  /// `buffers` must live as long as the stream.
  SnappyStream(BufferPool& buffers, std::unique_ptr<Stream> below);
  SnappyStream(const SnappyStream&) = delete;
  SnappyStream& operator=(const SnappyStream&) = delete;
  /// Writes what is kept, if that can be done without waiting.
  ~SnappyStream() override;

  IoResult try_read(MutableBytes into) override;
  IoResult try_write(Bytes from) override;
  IoResult try_shutdown() override;
  void abort() override;
  std::size_t undelivered() const override { return below_->undelivered() + writer_.pending_bytes(); }
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return below_->waiting(interest); }
  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return below_->remote(); }
  std::string layers() const override { return below_->layers() + ",snappy"; }
  Error error(int number) const override;

 private:
  std::unique_ptr<Stream> below_;
  SnappyReader reader_;
  SnappyWriter writer_;
  bool aborted_ = false;
};

}  // namespace gost::kcp
