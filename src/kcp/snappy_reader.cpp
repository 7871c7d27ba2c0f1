#include "kcp/snappy_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gost::kcp {

IoResult SnappyReader::read(MutableBytes into) {
  std::size_t moved = give(into);
  IoResult last = IoResult::would_block();
  while (moved < into.size() && !failure_) {
    if (auto looked = look(); !looked) {
      failure_ = std::move(looked.error());
    } else if (complete()) {
      auto taken = take(into.subspan(moved));
      moved += taken.value_or(0);
      if (!taken) failure_ = std::move(taken.error());
    } else if (last = fill(); last.status != IoResult::Status::ok) {
      break;
    }
  }
  if (last.status == IoResult::Status::eof && (size_ > 0 || kind_) && !failure_)
    failure_ = Error{Cause::protocol, "snappy: the stream ends within a chunk"};
  // What is in memory must show in ready(): for it nothing comes from below that would wake the reader.
  if (!failure_)
    if (auto looked = look(); !looked) failure_ = std::move(looked.error());
  give_back_empty();
  if (moved > 0) return IoResult::moved(moved);
  return failure_ ? IoResult::failed(EPROTO) : last;
}

Result<> SnappyReader::look() {
  for (;;) {
    if (kind_ == SnappyKind::skip) {
      std::size_t count = std::min(size_, body_);
      drop(count);
      body_ -= count;
      if (body_ > 0) return {};
      kind_.reset();
    }
    if (kind_ || size_ < kSnappyHeader) return {};
    SnappyHeader header = decode_snappy_header(input());
    auto kind = snappy_kind(header, !begun_);
    if (!kind) return fail(std::move(kind.error()));
    begun_ = true;
    drop(kSnappyHeader);
    kind_ = *kind;
    body_ = header.size;
  }
}

Result<std::size_t> SnappyReader::take(MutableBytes into) {
  Bytes body = input().first(body_);
  std::size_t moved = 0;
  if (*kind_ == SnappyKind::identifier) {
    if (auto good = check_snappy_identifier(body); !good) return fail(std::move(good.error()));
  } else {
    auto size = snappy_plain_size(*kind_, body);
    if (!size) return fail(std::move(size.error()));
    // Straight to the caller if there is room, else by way of a buffer.
    bool direct = *size <= into.size();
    if (!direct) plain_.emplace(buffers_.borrow());
    MutableBytes plain = (direct ? into : plain_->bytes()).first(*size);
    if (auto decoded = decode_snappy_chunk(*kind_, body, plain); !decoded) {
      plain_.reset();
      return fail(std::move(decoded.error()));
    }
    moved = *size;
    if (!direct) {
      plain_begin_ = 0;
      plain_size_ = *size;
      moved = give(into);
    }
  }
  drop(body_);
  kind_.reset();
  body_ = 0;
  return moved;
}

IoResult SnappyReader::fill() {
  if (!below_.ready(Interest::read)) return IoResult::would_block();
  if (!pooled_ && !large_) pooled_.emplace(buffers_.borrow());
  bool whole = kind_ && *kind_ != SnappyKind::skip;
  if (whole && body_ > capacity()) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(kLarge);
    std::ranges::copy(input(), larger.get());
    large_ = std::move(larger);
    pooled_.reset();
    begin_ = 0;
  }
  if (begin_ > 0) {
    std::memmove(memory(), memory() + begin_, size_);
    begin_ = 0;
  }
  IoResult io = below_.try_read({memory() + size_, capacity() - size_});
  if (io.status == IoResult::Status::ok) size_ += io.bytes;
  return io;
}

void SnappyReader::drop(std::size_t count) {
  begin_ += count;
  size_ -= count;
}

std::size_t SnappyReader::give(MutableBytes into) {
  std::size_t count = std::min(into.size(), plain_size_);
  if (count == 0) return 0;
  std::ranges::copy(plain_->bytes().subspan(plain_begin_, count), into.begin());
  plain_begin_ += count;
  plain_size_ -= count;
  if (plain_size_ == 0) plain_.reset();
  return count;
}

void SnappyReader::give_back_empty() {
  if (size_ > 0) return;
  pooled_.reset();
  large_.reset();
  begin_ = 0;
}

}  // namespace gost::kcp
