// For property tests of streams: any traffic both ways at once.
#pragma once

#include "net/testing/stream_pair.hpp"

#include <rapidcheck/gtest.h>

#include <cstdint>
#include <vector>

namespace gost::testing {

/// What one end sends, in which writes, and how the other one reads it.
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

inline std::vector<std::size_t> any_sizes(int most) {
  auto size = rc::gen::weightedOneOf<std::size_t>({{6, rc::gen::inRange<std::size_t>(1, 300)},
                                                   {2, rc::gen::inRange<std::size_t>(1, 20'000)},
                                                   {1, rc::gen::inRange<std::size_t>(60'000, 140'000)}});
  return *rc::gen::resize(most, rc::gen::container<std::vector<std::size_t>>(size));
}

inline Traffic any_traffic(std::uint32_t seed, int most_writes) {
  return {any_sizes(most_writes), *rc::gen::element<std::size_t>(1, 3, 1000, 16'384, 65'536, 100'000), seed};
}

/// Sends it and ends the direction; `good` becomes false if that fails.
inline Task<> send(Stream& stream, const Traffic& traffic, bool& good) {
  auto bytes = traffic.all();
  Bytes rest = bytes;
  for (std::size_t size : traffic.writes) {
    auto written = co_await write_all(stream, rest.first(size));
    good = good && written;
    rest = rest.subspan(size);
  }
  while (stream.try_shutdown().status == IoResult::Status::would_block) co_await stream.until(Interest::write);
}

/// Reads to the end; `good` becomes false if that is not `traffic`.
inline Task<> receive(Stream& stream, const Traffic& traffic, bool& good) {
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

/// Both directions at once; whether all arrived, whole and in order.
inline bool passes_both_ways(StreamPair& pair, const Traffic& up, const Traffic& down) {
  bool good = true;
  pair.io.loop.run([](StreamPair& p, const Traffic& forth, const Traffic& back, bool& whole) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(send(*p.client, forth, whole));
    group.spawn(send(*p.server, back, whole));
    group.spawn(receive(*p.server, forth, whole));
    group.spawn(receive(*p.client, back, whole));
    co_await group.join();
  }(pair, up, down, good));
  return good;
}

}  // namespace gost::testing
