#include "ws/deflate.hpp"

#include <zlib.h>

#include <array>

namespace gost::ws {

namespace {

/// What ends each flushed piece, and does not travel at the end of a message (RFC 7692 §7.2.1).
constexpr std::array<std::uint8_t, 4> kTail{0x00, 0x00, 0xFF, 0xFF};

// Small tables: they are made for each message, and a message is short.
constexpr int kWindowBits = 12;
constexpr int kMemoryLevel = 6;
constexpr int kAnyWindowBits = 15;  // of the peer

Error no_memory() {
  return {Cause::exhausted, "out of memory"};
}

Bytef* input(Bytes bytes) {
  return const_cast<Bytef*>(bytes.data());  // zlib reads it only
}

}  // namespace

Result<std::size_t> deflate_message(Bytes message, MutableBytes into) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(no_memory());
  stream.next_in = input(message);
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = into.data();
  stream.avail_out = static_cast<uInt>(into.size());
  ::deflate(&stream, Z_SYNC_FLUSH);
  const std::size_t size = into.size() - stream.avail_out;
  ::deflateEnd(&stream);
  return size - kTail.size();
}

struct Inflater::State {
  z_stream stream{};
};

Result<std::unique_ptr<Inflater>> Inflater::begin() {
  auto state = std::make_unique<State>();
  if (::inflateInit2(&state->stream, -kAnyWindowBits) != Z_OK) return fail(no_memory());
  return std::unique_ptr<Inflater>(new Inflater(std::move(state)));
}

Inflater::Inflater(std::unique_ptr<State> state) : state_(std::move(state)) {}

Inflater::~Inflater() {
  ::inflateEnd(&state_->stream);
}

void Inflater::feed(Bytes compressed) {
  state_->stream.next_in = input(compressed);
  state_->stream.avail_in = static_cast<uInt>(compressed.size());
}

Result<> Inflater::finish() {
  // A whole message stops where its tail would begin.
  if (state_->stream.total_in > 0 && ::inflateSyncPoint(&state_->stream) != 1)
    return fail(Cause::protocol, "truncated compressed data");
  feed(kTail);
  finished_ = true;
  return {};
}

bool Inflater::pending() const {
  return more_ || state_->stream.avail_in > 0;
}

Result<std::size_t> Inflater::inflate(MutableBytes into) {
  z_stream& stream = state_->stream;
  stream.next_out = into.data();
  stream.avail_out = static_cast<uInt>(into.size());
  while (stream.avail_out > 0 && pending()) {
    const int outcome = ::inflate(&stream, Z_SYNC_FLUSH);
    // A block may say that it is the last one, and others follow all the same (§7.2.3.4).
    if (outcome == Z_STREAM_END) ::inflateReset(&stream);
    if (outcome == Z_MEM_ERROR) return fail(no_memory());
    if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR)
      return fail(Cause::protocol, "bad compressed data");
    more_ = stream.avail_out == 0;
    if (outcome == Z_BUF_ERROR) break;
  }
  return into.size() - stream.avail_out;
}

}  // namespace gost::ws
