// Packets of a peer that knows the key but not the rules, into the decoder: each is a byte that tells its size in
// units of 4, a byte for the time that passes, and its bytes. The first byte of all chooses what we send with.
#include "expect.hpp"

#include "kcp/fec_decoder.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  using namespace gost::kcp;
  if (size < 1) return 0;
  std::shared_ptr<const ReedSolomon> own;
  if (data[0] != 0)
    own = std::make_shared<const ReedSolomon>(
        ReedSolomon::make(std::size_t{1} + data[0] % 16, std::size_t{1} + data[0] / 16).value());
  ShardPool pool;
  FecDecoder decoder(own, pool);
  TimePoint now;
  Bytes rest = Bytes(data, size).subspan(1);
  std::uint64_t restored = 0;
  while (rest.size() > 2) {
    Bytes packet = rest.subspan(2, std::min<std::size_t>(rest[0] * std::size_t{4}, rest.size() - 2));
    now += std::chrono::milliseconds(rest[1] * 100);
    rest = rest.subspan(2 + packet.size());
    PacketKind kind = packet_kind(packet);
    if (kind != PacketKind::data && kind != PacketKind::parity) continue;
    for (Bytes segments : decoder.decode(packet, now)) {
      fuzz::expect(segments.size() <= ShardPool::kBlockSize, "what is restored fits into a packet");
      ++restored;
    }
    auto counts = decoder.counts();
    std::size_t shards = counts.data + counts.parity;
    fuzz::expect(decoder.held() <= (FecDecoder::kMostGroups + 1) * shards * ShardPool::kBlockSize,
                 "memory is bounded by the groups");
  }
  fuzz::expect(decoder.restored() == restored, "what is restored is counted");
  decoder.expire(now + FecDecoder::kLongest);
  fuzz::expect(decoder.held() == 0, "everything is forgotten in the end");
  return 0;
}
