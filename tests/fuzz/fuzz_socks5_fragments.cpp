// The reassembly queue of a UDP association: each fragment of an input is FRAG, port, seconds since the last one,
// size, and so many bytes.
#include "expect.hpp"

#include "socks5/fragments.hpp"

#include <algorithm>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  constexpr std::size_t kLimit = 300;
  socks5::Fragments fragments(kLimit);
  ByteReader reader({data, size});
  TimePoint now;
  std::vector<std::string> history;
  std::uint64_t used = 0;
  while (reader.remaining() >= 4) {
    socks5::UdpHeader header;
    header.fragment = std::max<std::uint8_t>(reader.u8(), 1);
    header.address.peer = SocketAddress(IpAddress(), reader.u8());
    now += std::chrono::seconds(reader.u8() % 8);
    std::size_t wanted = reader.u8();
    Bytes payload = reader.bytes(std::min(wanted, reader.remaining()));
    history.emplace_back(as_text(payload));
    auto whole = fragments.input(header, payload, now);
    auto timeout = fragments.next_timeout();
    fuzz::expect(!timeout || (*timeout > now && *timeout <= now + socks5::Fragments::kTimeout),
                 "what is unfinished has at most five seconds");
    if (!whole) continue;
    std::size_t count = header.fragment & 0x7f;
    fuzz::expect(header.fragment > 0x80 && count <= history.size(), "only a last fragment completes a datagram");
    std::string expected;
    for (std::size_t i = history.size() - count; i < history.size(); ++i) expected += history[i];
    fuzz::expect(as_text(whole->payload) == expected, "a datagram is made of the last fragments, in order");
    fuzz::expect(whole->payload.size() <= kLimit, "no datagram is longer than the limit");
    fuzz::expect(whole->peer == header.address.peer, "all were for one destination");
    fuzz::expect(!timeout, "nothing is left of it");
    used += count;
  }
  fragments.expire(TimePoint::max());
  fuzz::expect(fragments.dropped() + used == history.size(), "every fragment is used or counted");
  return 0;
}
