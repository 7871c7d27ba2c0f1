// Any sizes of writes, reads and pipes, in both directions at once: what is sent arrives, whole and in order.
#include "net/testing/traffic.hpp"
#include "tls/testing/pair.hpp"

namespace gost::tls {
namespace {

using gost::testing::any_traffic;
using gost::testing::Traffic;
using testing::Pair;
using testing::TrustedEnds;

RC_GTEST_PROP(TlsStreamProperty, WhatIsSentArrivesBothWaysAtOnce, ()) {
  static const TrustedEnds kEnds;
  auto server = kEnds.server({.max_version = *rc::gen::element(Version::tls12, Version::tls13)});
  auto client = kEnds.client();
  Pair pair;
  pair.pipe.capacity = *rc::gen::element<std::size_t>(10, 333, 5'000, 65'536, 1'000'000);
  pair.pipe.read_at_most = *rc::gen::element<std::size_t>(7, 1'000, 1'000'000);
  pair.client_first = *rc::gen::arbitrary<bool>();
  Traffic up = any_traffic(1, 12);
  Traffic down = any_traffic(2, 12);
  pair.connect(*server, *client);
  RC_ASSERT(pair.client != nullptr && pair.server != nullptr);
  RC_ASSERT(passes_both_ways(pair, up, down));
}

}  // namespace
}  // namespace gost::tls
