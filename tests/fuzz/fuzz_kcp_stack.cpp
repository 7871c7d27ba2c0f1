// Opened packets of a hostile peer into a connection: error correction and the machine behind it. Each packet is a
// length and that many bytes; between them the connection is read, written and flushed.
#include "expect.hpp"

#include "kcp/connection.hpp"

#include <algorithm>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  using namespace gost::kcp;
  if (size < 2) return 0;
  ShardPool pool;
  BufferPool buffers;
  Options options;
  options.datashard = data[0] & 3;
  options.parityshard = data[0] >> 2 & 3;
  options.mtu = 200;
  options.sndwnd = options.rcvwnd = 8;
  auto made = ConnectionOptions::make(options);
  fuzz::expect(made.has_value(), "the options are valid");
  Connection connection(pool, *made, 0x01010101);
  TimePoint now;
  std::vector<std::uint8_t> memory(500, 1);
  std::vector<std::uint8_t> packet;
  ByteReader reader(Bytes(data, size).subspan(1));
  while (reader.remaining() > 0) {
    const std::size_t length = reader.u8();
    now += std::chrono::milliseconds(length);
    Bytes bytes = reader.bytes(std::min(reader.remaining(), length));
    packet.assign(bytes.begin(), bytes.end());
    connection.input(packet, packet_kind(packet), now);
    connection.write(Bytes(memory).first(1 + length), now);
    connection.read(memory, now);
    PacketBatch batch(buffers);
    batch.aim({});
    const bool all = connection.flush(batch, 2000, now, true);
    batch.for_each_target([](const PacketBatch::Target&, std::span<const MutableBytes> packets) {
      for (MutableBytes each : packets)
        fuzz::expect(each.size() >= kMinSealed && each.size() <= 200, "packets fit the MTU");
    });
    auto next = connection.next_timeout(now);
    fuzz::expect(!all || connection.failure() || !next || *next > now, "after a flush there is nothing to do");
  }
  return 0;
}
