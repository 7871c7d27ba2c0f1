// Two machines and a bad network: every byte arrives once and in order, whatever happens to packets, as long as some
// get through.
#include "kcp/testing/arq_link.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost::kcp {
namespace {

using testing::ArqLink;
using testing::Impairment;

ArqOptions arbitrary_options() {
  ArqOptions options;
  options.mss = *rc::gen::element<std::size_t>(1, 20, 500, 1348, 1476);
  options.send_window = *rc::gen::element<std::uint32_t>(1, 2, 8, 32, 128, 1024);
  options.receive_window = *rc::gen::element<std::uint32_t>(1, 2, 8, 32, 128, 1024);
  options.interval = *rc::gen::element<Millis>(10, 20, 40, 5000);
  options.no_delay = *rc::gen::arbitrary<bool>();
  options.resend = *rc::gen::element<std::uint32_t>(0, 1, 2, 5, 100);
  options.congestion_control = *rc::gen::arbitrary<bool>();
  options.ack_no_delay = *rc::gen::arbitrary<bool>();
  options.dead_after = 0;
  return options;
}

Impairment arbitrary_impairment() {
  Impairment impairment;
  impairment.loss = *rc::gen::element(0.0, 0.05, 0.3, 0.6);
  impairment.duplication = *rc::gen::element(0.0, 0.1, 0.5);
  impairment.delay = *rc::gen::element<Millis>(0, 1, 25, 100, 1000);
  impairment.jitter = *rc::gen::element<Millis>(0, 5, 50, 2000);
  return impairment;
}

RC_GTEST_PROP(ArqProperties, EveryByteArrivesOnceAndInOrder, (std::uint32_t seed)) {
  ArqOptions a = arbitrary_options();
  ArqOptions b = arbitrary_options();
  // Both numbers wrap during the transfer in many of the runs.
  a.first_number = b.first_expected = 0U - *rc::gen::element<std::uint32_t>(0, 1, 17, 300);
  b.first_number = a.first_expected = 0U - *rc::gen::element<std::uint32_t>(0, 1, 40);
  const Millis start = 0U - *rc::gen::element<Millis>(0, 1000);
  ArqLink link(a, b, arbitrary_impairment(), seed, start);
  std::minstd_rand random(seed);
  auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  const std::array<std::uint64_t, 2> wanted{below(std::min<std::size_t>(a.mss, 400) * 500),
                                            below(std::min<std::size_t>(b.mss, 400) * 100)};
  const std::size_t most_packets = *rc::gen::element<std::size_t>(1, 3, 1000);
  for (int step = 0; step < 400'000; ++step) {
    for (std::size_t i = 0; i < 2; ++i) {
      auto left = wanted[i] - link.ends[i].written;
      if (left > 0 && below(3) > 0) link.write(i, std::min<std::size_t>(left, 1 + below(20'000)));
      if (below(4) > 0) link.read(i, 1 + below(30'000));
    }
    link.step(most_packets);
    if (link.ends[0].read == wanted[1] && link.ends[1].read == wanted[0]) break;
    if (!link.advance()) link.now += 1;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    RC_ASSERT(link.ends[i].intact);
    RC_ASSERT(link.ends[i].written == wanted[i]);
    RC_ASSERT(link.ends[i].read == wanted[1 - i]);
    RC_ASSERT(!link.ends[i].arq.failure());
  }
  // With a network in order everything is acknowledged, and then nothing happens any more.
  link.set_impairment({});
  for (int step = 0; step < 100'000 && (link.advance() || link.on_way() > 0); ++step) link.step();
  RC_ASSERT(link.ends[0].arq.unacknowledged() == 0);
  RC_ASSERT(link.ends[1].arq.unacknowledged() == 0);
  RC_ASSERT(!link.advance());
}

RC_GTEST_PROP(ArqProperties, GarbageAmongThePacketsChangesNothing, (std::uint32_t seed)) {
  ArqOptions options = arbitrary_options();
  ArqLink link(options, options, {}, seed);
  std::minstd_rand random(seed);
  auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  const std::size_t wanted = 1 + below(std::min<std::size_t>(options.mss, 400) * 100);
  for (int step = 0; step < 100'000 && link.ends[1].read < wanted; ++step) {
    link.write(0, std::min(wanted - link.ends[0].written, 1 + below(5000)));
    link.read(1, 30'000);
    if (below(5) == 0) {
      std::vector<std::uint8_t> garbage(below(100));
      for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random());
      link.ends[below(2)].arq.input(garbage, link.now);
    }
    // Acknowledgements of what was never sent, and windows that are no windows, of the right conversation.
    if (below(5) == 0) {
      std::array<std::uint8_t, kSegmentHeader> lie;
      encode_header({.conversation = ArqLink::kConversation,
                     .command = below(2) == 0 ? Command::ack : Command::tell,
                     .fragment = static_cast<std::uint8_t>(random()),
                     .window = static_cast<std::uint16_t>(random()),
                     .timestamp = static_cast<std::uint32_t>(random()),
                     .number = 0x8000'0000U + static_cast<std::uint32_t>(below(1'000'000)),
                     .una = 0x8000'0000U + static_cast<std::uint32_t>(below(1'000'000)),
                     .data = {}},
                    lie);
      link.ends[0].arq.input(lie, link.now);
    }
    link.step();
    if (!link.advance()) link.now += 1;
  }
  RC_ASSERT(link.ends[1].intact);
  RC_ASSERT(link.ends[1].read == wanted);
}

}  // namespace
}  // namespace gost::kcp
