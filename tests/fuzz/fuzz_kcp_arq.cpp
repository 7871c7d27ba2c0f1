// Segments of a hostile peer into a KCP machine: the input is a list of operations, most of them packets of which
// only the length of data is made to fit. What is read and sent meanwhile must stay within the windows.
#include "expect.hpp"

#include "kcp/arq.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace {

using namespace gost;
using namespace gost::kcp;

class Sink final : public SegmentSink {
 public:
  explicit Sink(std::size_t most) : left_(most) {}
  MutableBytes room(std::size_t size) override {
    if (left_ == 0) return {};
    --left_;
    fuzz::expect(size >= kSegmentHeader && size <= kSegmentHeader + 100, "a segment fits into its packet");
    return MutableBytes(memory_).first(size);
  }

 private:
  std::size_t left_;
  std::array<std::uint8_t, 200> memory_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ShardPool pool;
  ArqOptions options;
  options.mss = 100;
  options.send_window = 16;
  options.receive_window = 16;
  options.resend = data[0] & 3;
  options.congestion_control = (data[0] & 4) != 0;
  options.no_delay = (data[0] & 8) != 0;
  options.first_number = options.first_expected = 0U - (data[0] >> 4);
  Arq arq(pool, 0x01010101, options);
  Millis now = data[1] * 0x0101'0101U;
  std::vector<std::uint8_t> memory(300, 1);
  std::vector<std::uint8_t> packet;
  ByteReader reader(Bytes(data, size).subspan(2));
  while (reader.remaining() > 0) {
    const std::uint8_t what = reader.u8();
    now += what >> 3;
    switch (what & 7) {
    case 0: arq.write(Bytes(memory).first(std::min<std::size_t>(memory.size(), 1 + reader.u8())), now); break;
    case 1: {
      const std::size_t readable = arq.readable();
      const std::size_t wanted = 1 + reader.u8();
      fuzz::expect(arq.read(MutableBytes(memory).first(wanted), now) == std::min(readable, wanted),
                   "what is readable can be read");
      break;
    }
    case 2: {
      Sink sink(1 + reader.u8());
      const bool all = arq.flush(now, sink, (what & 8) != 0);
      auto next = arq.next_timeout();
      fuzz::expect(!all || arq.failure() || (what & 8) == 0 || !next || distance(*next, now) > 0,
                   "after a flush there is nothing to do");
      break;
    }
    case 3: now += std::uint32_t{reader.u8()} * 1000; break;
    default: {
      Bytes bytes = reader.bytes(std::min<std::size_t>(reader.remaining(), 28));
      packet.assign(bytes.begin(), bytes.end());
      if (packet.size() >= kSegmentHeader && (what & 7) < 7) {
        const std::size_t length = packet[20] % 100;
        packet.resize(kSegmentHeader + length);
        std::ranges::fill(MutableBytes(packet).first(4), std::uint8_t{1});
        packet[4] = static_cast<std::uint8_t>(0x51 + packet[4] % 4);
        packet[20] = static_cast<std::uint8_t>(length);
        packet[21] = packet[22] = packet[23] = 0;
      }
      arq.input(packet, now, (what & 8) != 0 ? Arq::Origin::network : Arq::Origin::restored);
    }
    }
    fuzz::expect(arq.readable() <= 16U * 100, "no more waits than the window lets in");
    fuzz::expect(arq.unacknowledged() <= 32U * 100, "no more is kept than the window lets out");
  }
  return 0;
}
