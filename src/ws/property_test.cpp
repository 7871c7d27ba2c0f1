// Any sizes of writes, reads and pipes, in both directions at once, and any fragments and segments of a foreign peer:
// what is sent arrives, whole and in order.
#include "net/testing/traffic.hpp"
#include "ws/testing/pair.hpp"

#include <algorithm>

namespace gost::ws {
namespace {

using gost::testing::any_sizes;
using gost::testing::any_traffic;
using gost::testing::Traffic;
using testing::frame;
using testing::Lone;
using testing::noise;
using testing::Pair;

RC_GTEST_PROP(WsStreamProperty, WhatIsSentArrivesBothWaysAtOnce, ()) {
  Pair pair;
  pair.pipe.capacity = *rc::gen::element<std::size_t>(10, 333, 5'000, 65'536, 1'000'000);
  pair.pipe.read_at_most = *rc::gen::element<std::size_t>(7, 1'000, 1'000'000);
  pair.client_first = *rc::gen::arbitrary<bool>();
  pair.server_options.compression = pair.client_options.compression = *rc::gen::arbitrary<bool>();
  pair.client_options.max_payload = *rc::gen::element<std::size_t>(1'000, 4'096, 65'536);
  Traffic up = any_traffic(1, 6);
  Traffic down = any_traffic(2, 6);
  pair.connect();
  RC_ASSERT(pair.client != nullptr && pair.server != nullptr);
  RC_ASSERT(passes_both_ways(pair, up, down));
  RC_ASSERT(pair.io.buffers.kept() <= 6U);
}

RC_GTEST_PROP(WsStreamProperty, AnyFragmentsAndSegmentsGiveTheSameBytes, ()) {
  const Role role = *rc::gen::element(Role::server, Role::client);
  Lone lone(role, {}, {.capacity = 4'000'000});
  std::string expected;
  std::string raw;
  std::size_t pings = 0;
  bool open = false;
  for (std::size_t size : any_sizes(6)) {
    const std::string payload(as_text(noise(size, static_cast<std::uint32_t>(size))));
    const bool last = *rc::gen::arbitrary<bool>();
    raw += frame(role, open ? Opcode::continuation : Opcode::binary, payload, last);
    expected += payload;
    open = !last;
    if (*rc::gen::inRange(0, 3) == 0) {
      raw += frame(role, Opcode::ping, "?");
      ++pings;
    }
  }
  const std::size_t segment = *rc::gen::element<std::size_t>(1, 2, 13, 1'000, 50'000);
  const std::size_t read = *rc::gen::element<std::size_t>(1, 5, 4'096, 65'536);
  std::string got;
  const std::size_t step = std::max(segment, raw.size() / 5'000);
  for (std::size_t at = 0; at < raw.size(); at += step) {
    lone.put(std::string_view(raw).substr(at, step));
    got += lone.get(read);
    RC_ASSERT(lone.last.status == IoResult::Status::would_block);
  }
  RC_ASSERT(got == expected);
  const std::string heard = lone.heard();
  RC_ASSERT(static_cast<std::size_t>(std::ranges::count(heard, 'p')) == pings);
}

}  // namespace
}  // namespace gost::ws
