#include "policy/dns_cache.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace gost {
namespace {

CachedAnswer answer(std::uint8_t last) {
  return {{IpAddress::v4({10, 0, 0, last})}, TimePoint(Duration(last))};
}

TEST(DnsCache, KeepsTheLatestAnswerToAQuestion) {
  DnsCache cache(2);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.store("a", answer(1));
  cache.store("a", answer(2));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.find("a")->expires, TimePoint(Duration(2)));
}

TEST(DnsCache, TheLeastRecentlyUsedGoesFirst) {
  DnsCache cache(2);
  cache.store("a", answer(1));
  cache.store("b", answer(2));
  EXPECT_NE(cache.find("a"), nullptr);
  cache.store("c", answer(3));
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
}

RC_GTEST_PROP(DnsCache, NeverHoldsMoreThanAllowedAndKeepsTheMostRecent, (const std::vector<std::uint8_t>& stores)) {
  auto capacity = *rc::gen::inRange<std::size_t>(0, 5);
  DnsCache cache(capacity);
  for (std::uint8_t it : stores) cache.store(std::to_string(it), answer(it));
  RC_ASSERT(cache.size() <= capacity);
  std::vector<std::uint8_t> recent;
  for (auto it = stores.rbegin(); it != stores.rend() && recent.size() < capacity; ++it)
    if (std::ranges::find(recent, *it) == recent.end()) recent.push_back(*it);
  for (std::uint8_t it : recent) RC_ASSERT(cache.find(std::to_string(it)) != nullptr);
}

}  // namespace
}  // namespace gost
