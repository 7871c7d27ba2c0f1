#include "socks5/udp_codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace gost::socks5 {
namespace {

SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {*IpAddress::parse(ip), port};
}

Result<UdpHeader> header_of(std::string_view hex) {
  static std::vector<std::uint8_t> bytes;  // names are views into it
  bytes = *from_hex(hex);
  return decode_udp_header(bytes);
}

std::vector<std::uint8_t> frame_bytes(const DatagramAddress& to, Bytes payload) {
  auto header = encode_frame_header(to, payload.size());
  std::vector<std::uint8_t> bytes(header.view().begin(), header.view().end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

struct AnyAddress {
  SocketAddress peer;
  std::string name;
  DatagramAddress view() const { return {peer, name}; }
};

AnyAddress any_address() {
  auto port = *rc::gen::arbitrary<std::uint16_t>();
  auto byte = rc::gen::arbitrary<std::uint8_t>();
  switch (*rc::gen::inRange(0, 3)) {
  case 0: return {SocketAddress(IpAddress::v4(*rc::gen::container<std::array<std::uint8_t, 4>>(byte)), port), ""};
  case 1: {
    auto six = *rc::gen::container<std::array<std::uint8_t, 16>>(byte);
    return {SocketAddress(IpAddress::v6(six).unmapped(), port), ""};
  }
  default: {
    auto name = *rc::gen::container<std::string>(*rc::gen::inRange<std::size_t>(1, 256), rc::gen::arbitrary<char>());
    return {SocketAddress(IpAddress(), port), name};
  }
  }
}

// The examples of wire.md §7.1 and §8.2.
TEST(UdpCodec, TheReferenceExamples) {
  EXPECT_EQ(to_hex(encode_udp_header({address("8.8.8.8", 53), {}}).view()), "00000001080808080035");
  EXPECT_EQ(to_hex(frame_bytes({address("8.8.8.8", 53), {}}, as_bytes("hello"))), "0005ff0108080808003568656c6c6f");
}

TEST(UdpCodec, HeadersOfEveryAddressType) {
  auto four = header_of("000000 01 08080808 0035 6869");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->address, (DatagramAddress{address("8.8.8.8", 53), {}}));
  EXPECT_EQ(four->size, 10U);
  auto six = header_of("000000 04 20010db8000000000000000000000001 0035");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->address, (DatagramAddress{address("2001:db8::1", 53), {}}));
  EXPECT_EQ(six->size, 22U);
  auto name = header_of("000000 03 09 6c6f63616c686f7374 0035 6869");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->address, (DatagramAddress{address("0.0.0.0", 53), "localhost"}));
  EXPECT_EQ(name->size, 16U);
}

TEST(UdpCodec, AMappedAddressIsIpv4BothWays) {
  auto mapped = header_of("000000 04 00000000000000000000ffff7f000001 0035");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->address.peer, address("127.0.0.1", 53));
  EXPECT_EQ(to_hex(encode_udp_header({address("::ffff:127.0.0.1", 53), {}}).view()), "000000017f0000010035");
}

TEST(UdpCodec, AnEmptyNameIsTheUnspecifiedAddress) {
  auto header = header_of("000000 03 00 0035");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->address, (DatagramAddress{address("0.0.0.0", 53), {}}));
}

TEST(UdpCodec, ReservedAndFragmentAreToldNotJudged) {
  auto header = header_of("0004 83 01 7f000001 0035");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->reserved, 4);
  EXPECT_EQ(header->fragment, 0x83);
}

TEST(UdpCodec, AHeaderCutAnywhereIsTooShort) {
  for (std::string hex :
       {"000000017f0000010035", "000000040000000000000000000000000000000100ff", "0000000302616200ff"}) {
    auto bytes = *from_hex(hex);
    ASSERT_TRUE(decode_udp_header(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      auto cut = decode_udp_header(Bytes(bytes).first(size));
      ASSERT_FALSE(cut) << hex << " " << size;
      EXPECT_EQ(cut.error().cause, Cause::protocol);
    }
  }
}

TEST(UdpCodec, UnknownAddressTypesAreNamed) {
  EXPECT_EQ(header_of("000000 02 7f000001 0035").error().cause, Cause::address_type);
  EXPECT_EQ(std::get<Error>(decode_frame(*from_hex("0001ff05"))).text, "bad address type 5");
}

TEST(UdpCodec, ANameOf256BytesDoesNotFit) {
  std::string name(256, 'n');
  EXPECT_FALSE(encode_udp_header({address("0.0.0.0", 1), name}).ok());
  EXPECT_TRUE(encode_udp_header({address("0.0.0.0", 1), std::string_view(name).substr(1)}).ok());
}

TEST(UdpCodec, AnEmptyFrameIsOnlyItsHeader) {
  auto bytes = *from_hex("0000ff 01 7f000001 0035 0005");
  auto frame = std::get<Frame>(decode_frame(bytes));
  EXPECT_EQ(frame.size, 10U);
  EXPECT_TRUE(frame.payload.empty());
}

TEST(UdpCodec, TheThirdByteOfAFrameIsIgnored) {
  auto bytes = *from_hex("000100 01 7f000001 0035 78");
  EXPECT_EQ(as_text(std::get<Frame>(decode_frame(bytes)).payload), "x");
}

RC_GTEST_PROP(UdpCodec, HeadersRoundTrip, ()) {
  auto to = any_address();
  auto header = encode_udp_header(to.view());
  auto decoded = decode_udp_header(header.view());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->address == to.view());
  RC_ASSERT(decoded->size == header.size());
  RC_ASSERT(decoded->fragment == 0);
  RC_ASSERT(decoded->reserved == 0);
}

// Reading never more than NeedMore says reaches exactly the end of the frame.
RC_GTEST_PROP(UdpCodec, FramesRoundTripAndNeverAskBeyondTheirEnd, ()) {
  auto to = any_address();
  auto size = *rc::gen::weightedOneOf<std::size_t>(
      {{9, rc::gen::inRange<std::size_t>(0, 2000)}, {1, rc::gen::inRange<std::size_t>(65000, 65536)}});
  std::vector<std::uint8_t> payload(size, *rc::gen::arbitrary<std::uint8_t>());
  auto bytes = frame_bytes(to.view(), payload);
  std::size_t have = 0;
  for (;;) {
    auto decoded = decode_frame(Bytes(bytes).first(have));
    if (auto* frame = std::get_if<Frame>(&decoded)) {
      RC_ASSERT(have == bytes.size());
      RC_ASSERT(frame->size == bytes.size());
      RC_ASSERT(frame->address == to.view());
      RC_ASSERT(std::ranges::equal(frame->payload, payload));
      break;
    }
    RC_ASSERT(std::holds_alternative<NeedMore>(decoded));
    std::size_t more = std::get<NeedMore>(decoded).bytes;
    RC_ASSERT(more > 0U);
    RC_ASSERT(have + more <= bytes.size());
    have += more > 1 ? *rc::gen::inRange<std::size_t>(1, more + 1) : 1;
  }
}

}  // namespace
}  // namespace gost::socks5
