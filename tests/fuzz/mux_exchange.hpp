// Two mux machines with a way between them. Each two bytes of the input are one deed: what, and on which stream or
// how much of it. What one side writes the other one reads, in order, and neither ever calls the other one hostile.
#pragma once

#include "expect.hpp"

#include "mux/testing/exchange.hpp"

#include <array>

namespace gost::fuzz {

inline void exchange(const MuxOptions& options, Bytes deeds) {
  using testing::MuxEnd;
  std::array<MuxEnd, 2> ends{MuxEnd(options, MuxSide::client), MuxEnd(options, MuxSide::server)};
  for (std::size_t at = 0; at + 1 < deeds.size(); at += 2) {
    MuxEnd& end = ends[deeds[at] & 1];
    MuxEnd& other = ends[1 - (deeds[at] & 1)];
    std::size_t amount = deeds[at + 1];
    int deed = deeds[at] >> 1 & 7;
    if (deed == 0) fuzz::expect(end.add(end.machine.open().value()), "an id is in use once");
    if (deed <= 2) fuzz::expect(end.pass(other, amount * 4).has_value(), "our own frames are well-formed");
    if (end.streams.empty() || deed <= 2) continue;
    auto chosen = std::next(end.streams.begin(), (deeds[at] >> 4) % static_cast<int>(end.streams.size()));
    if (deed <= 4) end.write(chosen->second, amount * 2);
    if (deed == 5) fuzz::expect(end.read(chosen->second, amount + 1), "bytes arrive in order");
    if (deed == 6) (void)chosen->second.stream->shutdown();
    if (deed == 7) end.streams.erase(chosen);
  }
}

}  // namespace gost::fuzz
