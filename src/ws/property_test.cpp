// Any sizes of writes, reads and pipes, in both directions at once, and any fragments and segments of a foreign peer:
// what is sent arrives, whole and in order.
#include "ws/testing/pair.hpp"

#include <rapidcheck/gtest.h>

#include <algorithm>

namespace gost::ws {
namespace {

using testing::frame;
using testing::Lone;
using testing::noise;
using testing::Pair;

struct Traffic {
  std::vector<std::size_t> writes;
  std::size_t read_size;
  std::uint32_t seed;

  std::vector<std::uint8_t> all() const {
    std::size_t total = 0;
    for (std::size_t size : writes) total += size;
    return noise(total, seed);
  }
};

std::vector<std::size_t> any_sizes() {
  auto size = rc::gen::weightedOneOf<std::size_t>({{6, rc::gen::inRange<std::size_t>(1, 300)},
                                                   {2, rc::gen::inRange<std::size_t>(1, 20'000)},
                                                   {1, rc::gen::inRange<std::size_t>(60'000, 140'000)}});
  return *rc::gen::resize(6, rc::gen::container<std::vector<std::size_t>>(size));
}

Traffic any_traffic(std::uint32_t seed) {
  return {any_sizes(), *rc::gen::element<std::size_t>(1, 3, 1000, 16'384, 65'536, 100'000), seed};
}

Task<> send(Stream& stream, const Traffic& traffic, bool& good) {
  auto bytes = traffic.all();
  Bytes rest = bytes;
  for (std::size_t size : traffic.writes) {
    auto written = co_await write_all(stream, rest.first(size));
    good = good && written;
    rest = rest.subspan(size);
  }
  while (stream.try_shutdown().status == IoResult::Status::would_block) co_await stream.until(Interest::write);
}

Task<> receive(Stream& stream, const Traffic& traffic, bool& good) {
  std::vector<std::uint8_t> got;
  std::vector<std::uint8_t> buffer(traffic.read_size);
  for (;;) {
    auto size = co_await read_some(stream, buffer);
    if (!size) good = false;
    if (!size || *size == 0) break;
    got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
  }
  good = good && got == traffic.all();
}

RC_GTEST_PROP(WsStreamProperty, WhatIsSentArrivesBothWaysAtOnce, ()) {
  Pair pair;
  pair.pipe.capacity = *rc::gen::element<std::size_t>(10, 333, 5'000, 65'536, 1'000'000);
  pair.pipe.read_at_most = *rc::gen::element<std::size_t>(7, 1'000, 1'000'000);
  pair.client_first = *rc::gen::arbitrary<bool>();
  pair.server_options.compression = pair.client_options.compression = *rc::gen::arbitrary<bool>();
  pair.client_options.max_payload = *rc::gen::element<std::size_t>(1'000, 4'096, 65'536);
  Traffic up = any_traffic(1);
  Traffic down = any_traffic(2);
  pair.connect();
  RC_ASSERT(pair.client != nullptr && pair.server != nullptr);
  bool good = true;
  pair.io.loop.run([](Pair& p, const Traffic& forth, const Traffic& back, bool& whole) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(send(*p.client, forth, whole));
    group.spawn(send(*p.server, back, whole));
    group.spawn(receive(*p.server, forth, whole));
    group.spawn(receive(*p.client, back, whole));
    co_await group.join();
  }(pair, up, down, good));
  RC_ASSERT(good);
  RC_ASSERT(pair.io.buffers.kept() <= 6U);
}

RC_GTEST_PROP(WsStreamProperty, AnyFragmentsAndSegmentsGiveTheSameBytes, ()) {
  const Role role = *rc::gen::element(Role::server, Role::client);
  Lone lone(role, {}, {.capacity = 4'000'000});
  std::string expected;
  std::string raw;
  std::size_t pings = 0;
  bool open = false;
  for (std::size_t size : any_sizes()) {
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
