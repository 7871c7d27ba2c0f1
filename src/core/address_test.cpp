#include "core/address.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (auto text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1"})
    EXPECT_EQ(IpAddress::parse(text).value().to_string(), text);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (auto text : {"", "1.2.3", "1.2.3.256", "01.2.3.4.5", "[::1]", "::g", "localhost", "1.2.3.4%lo"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::parse(std::string_view("fe80::1%lo\0.example", 19))) << "a name with a hidden end";
}

TEST(IpAddress, ZoneIsKeptAndMappedAddressesUnwrap) {
  EXPECT_EQ(IpAddress::parse("fe80::1%lo").value().to_string(), "fe80::1%lo");
  auto mapped = IpAddress::parse("::ffff:10.1.2.3").value();
  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_EQ(mapped.unmapped().to_string(), "10.1.2.3");
}

TEST(IpAddress, KnowsSpecialRanges) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("fe80::1")->is_link_local());
}

RC_GTEST_PROP(SocketAddress, SurvivesTheKernelsForm, (bool four, std::uint16_t port)) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  auto ip = four ? IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::v6(bytes);
  SocketAddress address(ip.unmapped(), port);
  sockaddr_storage native;
  address.to_native(native);
  RC_ASSERT(SocketAddress::from_native(native) == address);
  RC_ASSERT(parse_endpoint(address.to_string())->port == port);
}

TEST(Endpoint, SplitsAsGoDoes) {
  EXPECT_EQ(parse_endpoint(":1080").value(), (Endpoint{"", 1080}));
  EXPECT_EQ(parse_endpoint("[::1]:80").value(), (Endpoint{"::1", 80}));
  EXPECT_EQ(parse_endpoint("example.com:443").value().to_string(), "example.com:443");
  EXPECT_EQ((Endpoint{"::1", 80}).to_string(), "[::1]:80");
}

TEST(Endpoint, ErrorsUseGosWords) {
  EXPECT_EQ(parse_endpoint("8080").error().text, "address 8080: missing port in address");
  EXPECT_EQ(parse_endpoint("::1:80").error().text, "address ::1:80: too many colons in address");
  EXPECT_EQ(parse_endpoint("[::1]").error().text, "address [::1]: missing port in address");
  for (auto text : {"h:70000", "h:-1", "h:+1", "h:x", "h:"}) EXPECT_FALSE(parse_endpoint(text)) << text;
}

}  // namespace
}  // namespace gost
