#include "policy/ip_ranges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace gost {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::string shown(const std::optional<IpRange>& range) {
  return range ? range->first.to_string() + " " + range->last.to_string() : "none";
}

TEST(ParseCidr, GivesTheFirstAndTheLastAddressOfTheBlock) {
  EXPECT_EQ(shown(parse_cidr("10.1.2.3/8")), "10.0.0.0 10.255.255.255");
  EXPECT_EQ(shown(parse_cidr("192.168.5.77/23")), "192.168.4.0 192.168.5.255");
  EXPECT_EQ(shown(parse_cidr("1.2.3.4/32")), "1.2.3.4 1.2.3.4");
  EXPECT_EQ(shown(parse_cidr("0.0.0.0/0")), "0.0.0.0 255.255.255.255");
  EXPECT_EQ(shown(parse_cidr("2001:db8::1/33")), "2001:db8:: 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(shown(parse_cidr("::ffff:10.0.0.0/104")), "10.0.0.0 10.255.255.255");
}

TEST(ParseCidr, RefusesWhatIsNone) {
  for (auto text : {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "a/8", "/8",
                    "10/8", "10.0.0.0/8/8", "10.0.0.0/ 8"})
    EXPECT_FALSE(parse_cidr(text)) << text;
}

TEST(ParseIpRange, TakesAnAddressOrTwoInOrder) {
  EXPECT_EQ(shown(parse_ip_range("10.0.0.1")), "10.0.0.1 10.0.0.1");
  EXPECT_EQ(shown(parse_ip_range("10.0.0.1-10.0.1.0")), "10.0.0.1 10.0.1.0");
  EXPECT_EQ(shown(parse_ip_range("::1-::ff")), "::1 ::ff");
  EXPECT_EQ(shown(parse_ip_range("::ffff:10.0.0.1")), "10.0.0.1 10.0.0.1");
  for (auto text : {"", "-", "a-b", "10.0.0.2-10.0.0.1", "10.0.0.1-::1", "10.0.0.1-", "-10.0.0.1", "10.0.0.1-20"})
    EXPECT_FALSE(parse_ip_range(text)) << text;
}

TEST(IpRanges, ContainsItsBordersAndNothingBeyond) {
  IpRanges ranges({*parse_cidr("10.0.0.0/30"), *parse_ip_range("10.0.0.9"), *parse_cidr("fd00::/8")});
  for (auto inside : {"10.0.0.0", "10.0.0.3", "10.0.0.9", "fd00::", "fdff::1", "::ffff:10.0.0.9"})
    EXPECT_TRUE(ranges.contains(ip(inside))) << inside;
  for (auto outside : {"9.255.255.255", "10.0.0.4", "10.0.0.8", "10.0.0.10", "fc00::", "fe00::", "::a00:1"})
    EXPECT_FALSE(ranges.contains(ip(outside))) << outside;
  EXPECT_FALSE(IpRanges().contains(ip("0.0.0.0")));
}

TEST(IpRanges, ATrailOfOverlapsIsOneRange) {
  IpRanges ranges({*parse_ip_range("1.0.0.5-1.0.0.9"), *parse_ip_range("1.0.0.1-1.0.0.20"),
                   *parse_ip_range("1.0.0.2-1.0.0.3"), *parse_ip_range("1.0.0.15-1.0.0.30")});
  EXPECT_TRUE(ranges.contains(ip("1.0.0.12")));
  EXPECT_TRUE(ranges.contains(ip("1.0.0.30")));
  EXPECT_FALSE(ranges.contains(ip("1.0.0.31")));
  EXPECT_FALSE(ranges.contains(ip("1.0.0.0")));
}

RC_GTEST_PROP(IpRanges, AgreeWithASearchOneByOne, (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& pairs)) {
  auto at = [](std::uint8_t last) { return IpAddress::v4({10, 0, 0, last}); };
  std::vector<IpRange> list;
  for (auto [a, b] : pairs) list.push_back({at(std::min(a, b)), at(std::max(a, b))});
  IpRanges ranges(list);
  for (int last = 0; last < 256; ++last) {
    IpAddress wanted = at(static_cast<std::uint8_t>(last));
    bool expected =
        std::ranges::any_of(list, [&](const IpRange& it) { return it.first <= wanted && wanted <= it.last; });
    RC_ASSERT(ranges.contains(wanted) == expected);
  }
}

RC_GTEST_PROP(ParseCidr, KeepsExactlyThePrefix, (std::uint32_t address, std::uint32_t other)) {
  int bits = *rc::gen::inRange(0, 33);
  auto of = [](std::uint32_t n) {
    return IpAddress::v4({static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
                          static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
  };
  std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  IpRanges ranges({*parse_cidr(of(address).to_string() + "/" + std::to_string(bits))});
  RC_ASSERT(ranges.contains(of(other)) == ((address & mask) == (other & mask)));
}

}  // namespace
}  // namespace gost
