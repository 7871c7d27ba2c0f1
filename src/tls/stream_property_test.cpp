// Any sizes of writes, reads and pipes, in both directions at once: what is sent arrives, whole and in order.
#include "tls/testing/pair.hpp"

#include <rapidcheck/gtest.h>

namespace gost::tls {
namespace {

using testing::noise;
using testing::Pair;
using testing::TrustedEnds;

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

Traffic any_traffic(std::uint32_t seed) {
  auto size = rc::gen::weightedOneOf<std::size_t>({{6, rc::gen::inRange<std::size_t>(1, 300)},
                                                   {2, rc::gen::inRange<std::size_t>(1, 20'000)},
                                                   {1, rc::gen::inRange<std::size_t>(60'000, 140'000)}});
  return {*rc::gen::resize(12, rc::gen::container<std::vector<std::size_t>>(size)),
          *rc::gen::element<std::size_t>(1, 3, 1000, 16'384, 65'536, 100'000), seed};
}

Task<> send(Stream& stream, const Traffic& traffic, bool& good) {
  auto bytes = traffic.all();
  Bytes rest = bytes;
  for (std::size_t size : traffic.writes) {
    auto written = co_await write_all(stream, rest.first(size));
    good = good && written;
    rest = rest.subspan(size);
  }
  for (;;) {
    IoResult io = stream.try_shutdown();
    if (io.status != IoResult::Status::would_block) break;
    co_await stream.until(Interest::write);
  }
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

RC_GTEST_PROP(TlsStreamProperty, WhatIsSentArrivesBothWaysAtOnce, ()) {
  static const TrustedEnds kEnds;
  auto server = kEnds.server({.max_version = *rc::gen::element(Version::tls12, Version::tls13)});
  auto client = kEnds.client();
  Pair pair;
  pair.pipe.capacity = *rc::gen::element<std::size_t>(10, 333, 5'000, 65'536, 1'000'000);
  pair.pipe.read_at_most = *rc::gen::element<std::size_t>(7, 1'000, 1'000'000);
  pair.client_first = *rc::gen::arbitrary<bool>();
  Traffic up = any_traffic(1);
  Traffic down = any_traffic(2);
  pair.connect(*server, *client);
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
}

}  // namespace
}  // namespace gost::tls
