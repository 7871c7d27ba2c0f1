#include "kcp/snappy_writer.hpp"

#include <algorithm>
#include <utility>

namespace gost::kcp {

namespace {

/// So much fits into a buffer of the pool with the identifier in front, even if it grows by compression.
constexpr std::size_t kMostPlain = std::size_t{54} * 1024;
static_assert(kSnappyIdentifier.size() + kSnappyHeader + kSnappyChecksum + 32 + kMostPlain + kMostPlain / 6 <=
              BufferPool::kBufferSize);

/// What is shorter gains nothing.
constexpr std::size_t kWorthTrying = 32;

}  // namespace

IoResult SnappyWriter::flush() {
  while (size_ > 0) {
    IoResult io = below_.try_write(buffer_->bytes().subspan(begin_, size_));
    if (io.status != IoResult::Status::ok) return io;
    begin_ += io.bytes;
    size_ -= io.bytes;
  }
  buffer_.reset();
  return IoResult::moved(0);
}

IoResult SnappyWriter::write(Bytes from) {
  std::size_t written = 0;
  while (!from.empty()) {
    if (unacknowledged_ == 0) {
      if (IoResult rest = flush(); rest.status != IoResult::Status::ok)
        return written > 0 ? IoResult::moved(written) : rest;
      unacknowledged_ = encode(from);
    }
    if (IoResult sent = flush(); sent.status != IoResult::Status::ok)
      return written > 0 ? IoResult::moved(written) : sent;
    // A caller that comes back with less than before learns of the rest next time.
    std::size_t count = std::min(unacknowledged_, from.size());
    unacknowledged_ -= count;
    written += count;
    from = from.subspan(count);
  }
  return IoResult::moved(written);
}

std::size_t SnappyWriter::encode(Bytes from) {
  from = from.first(std::min(from.size(), kMostPlain));
  buffer_.emplace(buffers_.borrow());
  MutableBytes into = buffer_->bytes();
  begin_ = size_ = 0;
  if (!std::exchange(begun_, true)) {
    std::ranges::copy(kSnappyIdentifier, into.begin());
    size_ = kSnappyIdentifier.size();
    into = into.subspan(size_);
  }
  bool worth = from.size() >= kWorthTrying && (failures_ < kPatience || ++skipped_ > kSkip);
  if (!worth) {
    size_ += encode_plain_chunk(from, into);
    return from.size();
  }
  SnappyEncoded made = encode_snappy_chunk(from, into);
  size_ += made.size;
  failures_ = made.compressed ? 0 : failures_ + 1;
  skipped_ = 0;
  return from.size();
}

}  // namespace gost::kcp
