#include "socks5/association_limit.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <thread>
#include <vector>

namespace gost::socks5 {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(AssociationLimit, HoldsPerAddressAndIsGivenBack) {
  auto limit = std::make_shared<AssociationLimit>(2);
  auto first = limit->enter(ip("10.0.0.1"));
  auto second = limit->enter(ip("10.0.0.1"));
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limit->enter(ip("10.0.0.1")));
  EXPECT_TRUE(limit->enter(ip("10.0.0.2"))) << "another client has its own";
  EXPECT_TRUE(limit->enter(ip("::ffff:10.0.0.1"))) << "another address";
  first.reset();
  EXPECT_TRUE(limit->enter(ip("10.0.0.1")));
}

TEST(AssociationLimit, NoneMeansAnyNumber) {
  auto limit = std::make_shared<AssociationLimit>(0);
  std::vector<AssociationLimit::Slot> slots;
  for (int i = 0; i < 1000; ++i) slots.push_back(limit->enter(ip("::1")).value());
  EXPECT_EQ(slots.size(), 1000U);
}

TEST(AssociationLimit, ASlotKeepsTheTable) {
  auto limit = std::make_shared<AssociationLimit>(1);
  auto slot = limit->enter(ip("::1"));
  limit.reset();
  EXPECT_TRUE(slot);
  slot.reset();
}

/// Nobody has more than the limit, whoever comes and goes; and nobody who left is remembered.
RC_GTEST_PROP(AssociationLimit, IsNeverExceeded, (const std::vector<std::pair<std::uint8_t, bool>>& steps)) {
  auto limit = std::make_shared<AssociationLimit>(3);
  std::map<std::uint8_t, std::vector<AssociationLimit::Slot>> open;
  for (auto [client, comes] : steps) {
    client %= 4;
    if (!comes) {
      if (!open[client].empty()) open[client].pop_back();
    } else if (auto slot = limit->enter(IpAddress::v4({10, 0, 0, client}))) {
      open[client].push_back(std::move(*slot));
    }
    RC_ASSERT(open[client].size() <= 3U);
  }
  open.clear();
  std::vector<AssociationLimit::Slot> again;
  for (int i = 0; i < 3; ++i) again.push_back(limit->enter(IpAddress::v4({10, 0, 0, 1})).value());
}

TEST(AssociationLimit, ManyThreadsCountTogether) {
  auto limit = std::make_shared<AssociationLimit>(8);
  std::atomic<int> inside = 0;
  std::atomic<bool> exceeded = false;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int round = 0; round < 2000; ++round) {
          std::vector<AssociationLimit::Slot> held;
          for (int n = 0; n < 3; ++n) {
            if (auto slot = limit->enter(ip("10.0.0.1"))) {
              held.push_back(std::move(*slot));
              if (++inside > 8) exceeded = true;
            }
          }
          inside -= static_cast<int>(held.size());
        }
      });
  }
  EXPECT_FALSE(exceeded);
}

}  // namespace
}  // namespace gost::socks5
