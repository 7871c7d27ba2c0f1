#include "kcp/options.hpp"

#include "kcp/packet_crypt.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gost::kcp {
namespace {

std::string refusal(const Options& options) {
  auto good = validate(options);
  return good ? "" : good.error().text;
}

TEST(KcpOptions, TheDefaultsAreGood) {
  Options options;
  EXPECT_EQ(refusal(options), "");
  EXPECT_TRUE(options.fec());
  EXPECT_EQ(options.headroom(), 28U);
  EXPECT_EQ(options.mss(), 1350U - 28 - 24);
  EXPECT_EQ(options.pace(), (Pace{.nodelay = false, .interval = 30, .resend = 2, .no_congestion = true}));
}

TEST(KcpOptions, WithoutErrorCorrectionASegmentHoldsMore) {
  Options options{.mtu = 1400};
  EXPECT_EQ(options.mss(), 1348U);  // wire.md §12.6
  options.parityshard = 0;
  EXPECT_FALSE(options.fec());
  EXPECT_EQ(options.headroom(), kCryptHeader);
  EXPECT_EQ(options.mss(), 1356U);
}

TEST(KcpOptions, AModeIsAPace) {
  struct Row {
    std::string_view mode;
    Pace pace;
  };
  const Row rows[] = {{"normal", {false, 40, 2, true}},
                      {"fast", {false, 30, 2, true}},
                      {"fast2", {true, 20, 2, true}},
                      {"fast3", {true, 10, 2, true}}};
  for (const Row& row : rows) EXPECT_EQ(pace_of(row.mode), row.pace) << row.mode;
  for (std::string_view mode : {"manual", "", "Fast", "fast4"}) EXPECT_FALSE(pace_of(mode)) << mode;
  Options options{.mode = "manual", .manual = {.nodelay = true, .interval = 17}};
  EXPECT_EQ(options.pace().interval, 17);
}

TEST(KcpOptions, ARefusalNamesTheOption) {
  EXPECT_EQ(refusal({.mtu = 127}), "kcp.mtu is 127, but must be from 128 to 1500");
  EXPECT_EQ(refusal({.mtu = 9000}), "kcp.mtu is 9000, but must be from 128 to 1500");
  EXPECT_EQ(refusal({.mtu = 128}), "");
  EXPECT_EQ(refusal({.sndwnd = 0}), "kcp.sndwnd is 0, but must be from 1 to 65535");
  EXPECT_EQ(refusal({.rcvwnd = 70000}), "kcp.rcvwnd is 70000, but must be from 1 to 65535");
  EXPECT_EQ(refusal({.smuxver = 3}), "kcp.smuxver is 3, but must be 1 or 2");
  EXPECT_EQ(refusal({.datashard = -1}), "kcp.datashard is -1, but must be from 0 to 256");
  EXPECT_EQ(refusal({.datashard = 200, .parityshard = 57}),
            "kcp.parityshard is 57, but must be at most 256 together with kcp.datashard, which is 200");
  EXPECT_EQ(refusal({.dscp = 64}), "kcp.dscp is 64, but must be from 0 to 63");
  EXPECT_EQ(refusal({.streambuf = 5'000'000}),
            "kcp.streambuf is 5000000, but must be at most kcp.smuxbuf, which is 4194304");
  EXPECT_EQ(refusal({.keepalive = Duration::zero()}), "kcp.keepalive must be positive");
  EXPECT_EQ(refusal({.keys = {}}), "kcp.key: there is none");
}

TEST(KcpOptions, ThePeerTimeoutHasBounds) {
  using namespace std::chrono_literals;
  EXPECT_EQ(refusal({.peer_timeout = 999us}), "kcp.peerTimeout is 999µs, but must be from 1s to 24h0m0s");
  EXPECT_EQ(refusal({.peer_timeout = 1s}), "");
  EXPECT_EQ(refusal({.peer_timeout = 24h}), "");
  EXPECT_EQ(refusal({.peer_timeout = 25 * 24h}), "kcp.peerTimeout is 600h0m0s, but must be from 1s to 24h0m0s");
}

}  // namespace
}  // namespace gost::kcp
