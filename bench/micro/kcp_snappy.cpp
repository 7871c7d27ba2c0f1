// What compression costs: bytes of payload per second through a SnappyStream, in writes of smux's size.
#include "kcp/snappy_stream.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

constexpr std::size_t kWrite = 32776;

using Data = std::vector<std::uint8_t>;

/// Takes everything, and gives the same bytes again and again.
class EndlessStream final : public Stream {
 public:
  /// `begin` once, then `again` for ever.
  explicit EndlessStream(Data begin = {}, Data again = {}) : now_(std::move(begin)), again_(std::move(again)) {}

  IoResult try_read(MutableBytes into) override {
    if (at_ == now_.size()) {
      now_ = again_;
      at_ = 0;
    }
    std::size_t count = std::min(into.size(), now_.size() - at_);
    std::memcpy(into.data(), now_.data() + at_, count);
    at_ += count;
    return IoResult::moved(count);
  }
  IoResult try_write(Bytes from) override { return IoResult::moved(from.size()); }
  IoResult try_shutdown() override { return IoResult::moved(0); }
  void abort() override {}
  bool ready(Interest) const override { return true; }
  Wait*& waiting(Interest) override { return waiting_; }
  SocketAddress local() const override { return {}; }
  SocketAddress remote() const override { return {}; }
  std::string layers() const override { return "endless"; }

 private:
  Data now_;
  Data again_;
  std::size_t at_ = 0;
  Wait* waiting_ = nullptr;
};

Data random_bytes() {
  std::minstd_rand random(1);
  Data bytes(kWrite);
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random() >> 8); });
  return bytes;
}

/// Something like a page of text.
Data text() {
  Data bytes;
  std::minstd_rand random(2);
  while (bytes.size() < kWrite) {
    std::string word = "word" + std::to_string(random() % 500) + ' ';
    bytes.insert(bytes.end(), word.begin(), word.end());
  }
  bytes.resize(kWrite);
  return bytes;
}

void write(benchmark::State& state, const Data& data) {
  BufferPool buffers;
  SnappyStream stream(buffers, std::make_unique<EndlessStream>());
  while (state.KeepRunning()) benchmark::DoNotOptimize(stream.try_write(data).bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kWrite));
}

void read(benchmark::State& state, const Data& data) {
  BufferPool buffers;
  Data chunk(snappy_room(data.size()));
  chunk.resize(encode_snappy_chunk(data, chunk).size);
  Data begin(kSnappyIdentifier.begin(), kSnappyIdentifier.end());
  SnappyStream stream(buffers, std::make_unique<EndlessStream>(begin, chunk));
  Data into(BufferPool::kBufferSize);
  std::int64_t bytes = 0;
  while (state.KeepRunning()) bytes += static_cast<std::int64_t>(stream.try_read(into).bytes);
  state.SetBytesProcessed(bytes);
}

BENCHMARK_CAPTURE(write, random, random_bytes())->Name("kcp/snappy_write/random");
BENCHMARK_CAPTURE(write, text, text())->Name("kcp/snappy_write/text");
BENCHMARK_CAPTURE(read, random, random_bytes())->Name("kcp/snappy_read/random");
BENCHMARK_CAPTURE(read, text, text())->Name("kcp/snappy_read/text");

}  // namespace
}  // namespace gost::kcp
