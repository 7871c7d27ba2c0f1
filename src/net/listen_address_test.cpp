#include "net/listen_address.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

std::string describe(const std::string& text) {
  auto parsed = parse_listen_address(text);
  if (!parsed) return parsed.error().text;
  return parsed->address.to_string() + (parsed->both_families ? " both" : "");
}

TEST(ListenAddress, NoHostAndTheUnspecifiedIpv6AddressAreBothFamilies) {
  EXPECT_EQ(describe(":1053"), "[::]:1053 both");
  EXPECT_EQ(describe("[::]:1053"), "[::]:1053 both");
}

TEST(ListenAddress, AnyOtherLiteralIsItsOwnFamily) {
  EXPECT_EQ(describe("0.0.0.0:53"), "0.0.0.0:53");
  EXPECT_EQ(describe("127.0.0.1:0"), "127.0.0.1:0");
  EXPECT_EQ(describe("[::1]:53"), "[::1]:53");
}

TEST(ListenAddress, ANameIsLookedUp) {
  EXPECT_EQ(describe("localhost:53"), "127.0.0.1:53");
}

TEST(ListenAddress, AMistakeIsNamed) {
  EXPECT_EQ(describe("1053"), "address 1053: missing port in address");
}

}  // namespace
}  // namespace gost
