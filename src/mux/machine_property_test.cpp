// Two machines with a lossless way between them, whatever is done to their streams and however the bytes are cut.
#include "mux/testing/exchange.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

namespace gost {
namespace {

using End = testing::MuxEnd;

constexpr std::size_t kMost = std::size_t{16} * 1024;  ///< of one write, read or passage

/// As MuxEnd::pass, between two ends that understand each other.
std::size_t pass(End& from, End& to, std::size_t most) {
  auto passed = from.pass(to, most);
  EXPECT_TRUE(passed);
  return passed.value_or(0);
}

MuxOptions arbitrary_options() {
  if (*rc::gen::inRange(0, 3) == 2) {
    std::int64_t window = 262'144 * *rc::gen::element(1, 2);
    return YamuxOptions{.max_stream_window = window, .max_receive_buffer = window * *rc::gen::element(1, 3, 64)};
  }
  SmuxOptions options{.version = *rc::gen::inRange(1, 3)};
  options.max_frame_size = *rc::gen::element(1, 16, 1000, 32768, 65535);
  options.max_stream_buffer = *rc::gen::element(1, 100, 4096, 65536);
  options.max_receive_buffer = options.max_stream_buffer * *rc::gen::element(1, 3, 64);
  options.half_close = *rc::gen::arbitrary<bool>();
  return options;
}

bool has_windows(const MuxOptions& options) {
  const auto* smux = std::get_if<SmuxOptions>(&options);
  return smux == nullptr || smux->version == 2;
}

/// One of each kind.
std::array<MuxOptions, 3> every_protocol() {
  return {SmuxOptions{.version = 1}, SmuxOptions{.version = 2}, YamuxOptions()};
}

RC_GTEST_PROP(MuxProperties, WhateverIsWrittenArrivesInOrder, (std::uint32_t seed)) {
  MuxOptions options = arbitrary_options();
  std::minstd_rand random(seed);
  auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  std::array<End, 2> ends{End(options, MuxSide::client), End(options, MuxSide::server)};
  bool closing = *rc::gen::arbitrary<bool>();
  int steps = *rc::gen::inRange(10, 400);
  for (int step = 0; step < steps; ++step) {
    std::size_t which = below(2);
    End& end = ends[which];
    std::size_t most = 1 + below(below(2) == 0 ? 10 : kMost);
    std::size_t action = below(12);
    if (action == 0 && end.streams.size() < 20) end.open();
    if (action <= 2) pass(end, ends[1 - which], most);
    if (end.streams.empty() || action <= 2) continue;
    auto chosen = std::next(end.streams.begin(), static_cast<std::ptrdiff_t>(below(end.streams.size())));
    if (action <= 7) end.write(chosen->second, most);
    if (action >= 8 && action <= 10) RC_ASSERT(end.read(chosen->second, most));
    if (action == 11 && closing && below(4) == 0) end.streams.erase(chosen);
  }
  // Everything that is still on its way arrives once everybody reads.
  for (bool moved = true; moved;) {
    moved = pass(ends[0], ends[1], kMost) + pass(ends[1], ends[0], kMost) > 0;
    for (End& end : ends) {
      for (auto& [id, open] : end.streams) {
        std::uint64_t before = open.read;
        RC_ASSERT(end.read(open, kMost));
        moved = moved || open.read != before;
      }
    }
  }
  for (std::size_t which = 0; which < 2; ++which) {
    End& end = ends[which];
    End& other = ends[1 - which];
    RC_ASSERT(end.machine.budget() == std::visit([](auto& typed) { return typed.max_receive_buffer; }, options));
    RC_ASSERT(end.way.empty());
    for (auto& [id, open] : end.streams) {
      RC_ASSERT(open.read == other.sent[id]);
      RC_ASSERT(open.ended == !other.streams.contains(id));
      RC_ASSERT((open.stream->sendable() == 0) <= (open.ended || has_windows(options)));
    }
  }
  for (End& end : ends) {
    end.streams.clear();
    RC_ASSERT(end.machine.streams() == 0U);
  }
}

TEST(MuxProperties, AThousandStreamsInterleavedArriveWhole) {
  for (const MuxOptions& options : every_protocol()) {
    End client(options, MuxSide::client);
    End server(options, MuxSide::server);
    constexpr std::size_t kStreams = 1000;
    constexpr std::size_t kBytes = 3000;
    for (std::size_t i = 0; i < kStreams; ++i) client.open();
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, open] : client.streams) {
        client.write(open, std::min<std::size_t>(kBytes - open.sent, 1 + id % 700));
        more = more || open.sent < kBytes;
      }
      while (pass(client, server, 777) + pass(server, client, 777) > 0) {
      }
      for (auto& [id, open] : server.streams) ASSERT_TRUE(server.read(open, 5000));
    }
    client.streams.clear();
    while (pass(client, server, 7777) > 0) {
    }
    ASSERT_EQ(server.streams.size(), kStreams);
    for (auto& [id, open] : server.streams) {
      ASSERT_TRUE(server.read(open, 5000));
      EXPECT_EQ(open.read, kBytes);
      EXPECT_TRUE(open.ended);
    }
    EXPECT_EQ(server.machine.budget(), End(options, MuxSide::server).machine.budget());
  }
}

TEST(MuxProperties, AStalledReaderCostsTheOthersNothing) {
  for (const MuxOptions& options : every_protocol()) {
    if (!has_windows(options)) continue;
    End client(options, MuxSide::client);
    End server(options, MuxSide::server);
    client.open();
    client.open();
    auto& stalled = client.streams.begin()->second;
    auto& flowing = client.streams.rbegin()->second;
    for (int round = 0; round < 2000; ++round) {
      client.write(stalled, kMost);
      client.write(flowing, kMost);
      while (pass(client, server, kMost) + pass(server, client, kMost) > 0) {
      }
      ASSERT_TRUE(server.read(server.streams.rbegin()->second, 2 * kMost));
    }
    EXPECT_EQ(stalled.sent, 262'144U);
    EXPECT_EQ(server.streams.rbegin()->second.read, 2000 * kMost);
  }
}

}  // namespace
}  // namespace gost
