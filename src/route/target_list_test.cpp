#include "route/target_list.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;

class TargetListTest : public ::testing::Test {
 protected:
  TargetList list(std::size_t count, const SelectorOptions& selector = {}) {
    std::vector<TargetOptions> targets;
    for (std::size_t i = 0; i < count; ++i)
      targets.push_back({"target-" + std::to_string(i), {"10.0.0.1", static_cast<std::uint16_t>(80 + i)}, {}});
    return TargetList(std::move(targets), selector, [this] { return now_; });
  }
  TimePoint now_{1h};
};

TEST_F(TargetListTest, GoesRoundUnlessToldOtherwise) {
  TargetList targets = list(2);
  EXPECT_EQ(targets.choose({}, {})->name, "target-0");
  EXPECT_EQ(targets.choose({}, {})->name, "target-1");
  EXPECT_EQ(targets.choose({}, {})->address.port, 80);
}

TEST_F(TargetListTest, OffersEachTargetOnceToOneRequest) {
  TargetList targets = list(3);
  std::vector<const Target*> tried;
  while (const Target* target = targets.choose({}, tried)) {
    targets.failed(*target);
    tried.push_back(target);
    ASSERT_LE(tried.size(), 3U);
  }
  EXPECT_EQ(tried.size(), 3U);
}

TEST_F(TargetListTest, WhatFailedRestsAndComesBack) {
  TargetList targets = list(2, {.strategy = Strategy::fifo, .fail_timeout = 10s});
  const Target* first = targets.choose({}, {});
  targets.failed(*first);
  EXPECT_EQ(targets.choose({}, {})->name, "target-1");
  now_ += 10s;
  EXPECT_EQ(targets.choose({}, {})->name, "target-0");
  targets.failed(*first);
  targets.succeeded(*first);
  EXPECT_EQ(targets.choose({}, {})->name, "target-0");
}

TEST_F(TargetListTest, TheSameClientGetsTheSameTargetByHash) {
  TargetList targets = list(7, {.strategy = Strategy::hash});
  Requester alice{{}, {}, "alice"};
  Requester other{SocketAddress(IpAddress::v4({10, 1, 2, 3}), 4000), {}, {}};
  Requester same_ip{SocketAddress(IpAddress::v4({10, 1, 2, 3}), 5000), {}, {}};
  const Target* of_alice = targets.choose(alice, {});
  const Target* of_other = targets.choose(other, {});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(targets.choose(alice, {}), of_alice);
    EXPECT_EQ(targets.choose(same_ip, {}), of_other);
  }
}

TEST_F(TargetListTest, AnEmptyListHasNone) {
  TargetList targets = list(0);
  EXPECT_TRUE(targets.empty());
  EXPECT_EQ(targets.choose({}, {}), nullptr);
}

}  // namespace
}  // namespace gost
