// What error correction costs: bytes of data packets per second.
#include "kcp/fec_decoder.hpp"
#include "kcp/fec_encoder.hpp"
#include "kcp/packet_crypt.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace gost::kcp {
namespace {

constexpr std::size_t kPacket = 1330;

using Packet = std::vector<std::uint8_t>;

std::shared_ptr<const ReedSolomon> code_of(const benchmark::State& state) {
  return std::make_shared<const ReedSolomon>(
      ReedSolomon::make(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1))).value());
}

/// The packets of `groups` groups, one after the other.
std::vector<Packet> make_packets(const std::shared_ptr<const ReedSolomon>& code, std::size_t groups) {
  FecEncoder encoder(code, kMaxPacket, 0);
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < groups * code->data(); ++i) {
    Packet packet(kPacket, static_cast<std::uint8_t>(i));
    auto parity = encoder.add(packet);
    packets.push_back(packet);
    for (Bytes more : parity) packets.emplace_back(more.begin(), more.end());
  }
  return packets;
}

void count(benchmark::State& state, std::size_t packets) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(packets * kPacket));
}

void encode(benchmark::State& state) {
  FecEncoder encoder(code_of(state), kMaxPacket, kCryptHeader);
  Packet packet(kPacket, 1);
  while (state.KeepRunning()) benchmark::DoNotOptimize(encoder.add(packet).data());
  count(state, 1);
}

/// Groups of which the first `range(2)` data packets are lost.
void decode(benchmark::State& state) {
  auto code = code_of(state);
  constexpr std::size_t kGroups = 400;
  auto packets = make_packets(code, kGroups);
  auto lost = static_cast<std::size_t>(state.range(2));
  ShardPool pool;
  while (state.KeepRunning()) {
    FecDecoder decoder(code, pool);
    for (std::size_t i = 0; i < packets.size(); ++i)
      if (i % code->shards() >= lost) benchmark::DoNotOptimize(decoder.decode(packets[i], {}).size());
    if (decoder.restored() != kGroups * lost) state.SkipWithError("not everything was restored");
  }
  count(state, kGroups * code->data());
}

BENCHMARK(encode)->Name("kcp/fec_encode")->Args({10, 3})->Args({20, 5});
BENCHMARK(decode)->Name("kcp/fec_decode")->Args({10, 3, 0})->Args({10, 3, 1})->Args({10, 3, 3})->Args({20, 5, 5});

}  // namespace
}  // namespace gost::kcp
