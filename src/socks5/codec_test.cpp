#include "socks5/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost::socks5 {
namespace {

template <class T>
bool is_error(const Decode<T>& decoded) {
  return std::holds_alternative<Error>(decoded);
}

/// Feeds `bytes` as a reader does who never asks for more than is said to be missing; the message must end with them.
template <class T>
T decode_stepwise(Bytes bytes, Decode<T> (*decode)(Bytes)) {
  std::size_t have = 0;
  for (;;) {
    auto decoded = decode(bytes.first(have));
    if (auto* result = std::get_if<T>(&decoded)) {
      RC_ASSERT(have == bytes.size());
      return *result;
    }
    RC_ASSERT(!is_error(decoded));
    std::size_t more = std::get<NeedMore>(decoded).bytes;
    RC_ASSERT(more > 0U);
    RC_ASSERT(have + more <= bytes.size());
    have += more > 1 ? *rc::gen::inRange<std::size_t>(1, more + 1) : 1;
  }
}

std::string text_up_to_255(std::string text) {
  text.resize(std::min<std::size_t>(text.size(), 255));
  return text;
}

TEST(Socks5Codec, GreetingsInAnyOrder) {
  auto greeting = std::get<Greeting>(decode_greeting(*from_hex("05 03 80 00 00")));
  EXPECT_TRUE(greeting.offers(Method::none));
  EXPECT_TRUE(greeting.offers(Method::tls));
  EXPECT_FALSE(greeting.offers(Method::user_password));
  EXPECT_EQ(
      to_hex(encode_greeting({Method::none, Method::user_password, Method::tls, Method::tls_user_password}).view()),
      "050400028082");
}

TEST(Socks5Codec, RefusesGreetingsAsEarlyAsPossible) {
  EXPECT_TRUE(is_error(decode_greeting(*from_hex("04"))));
  EXPECT_TRUE(is_error(decode_greeting(*from_hex("0500"))));
  EXPECT_FALSE(is_error(decode_greeting(*from_hex("05"))));
}

TEST(Socks5Codec, RequestsOfEveryAddressType) {
  EXPECT_EQ(std::get<Request>(decode_request(*from_hex("05010001 7f000001 0050"))), (Request{1, {"127.0.0.1", 80}}));
  EXPECT_EQ(std::get<Request>(decode_request(*from_hex("05010003 0b 6578616d706c652e636f6d 01bb"))),
            (Request{1, {"example.com", 443}}));
  EXPECT_EQ(std::get<Request>(decode_request(*from_hex("05010004 00000000000000000000000000000001 0050"))),
            (Request{1, {"::1", 80}}));
  EXPECT_EQ(std::get<Request>(decode_request(*from_hex("0501ff04 00000000000000000000ffff 0a000001 0050"))),
            (Request{1, {"10.0.0.1", 80}, 0xff}))
      << "an IPv4-mapped address is IPv4, and any RSV is accepted";
  EXPECT_EQ(std::get<Request>(decode_request(*from_hex("05010003 00 0050"))), (Request{1, {"", 80}}));
}

TEST(Socks5Codec, OnlyAnUnknownAddressTypeHasItsOwnCause) {
  EXPECT_EQ(std::get<Error>(decode_request(*from_hex("05010002"))).cause, Cause::address_type);
  EXPECT_EQ(std::get<Error>(decode_request(*from_hex("04"))).cause, Cause::protocol);
}

TEST(Socks5Codec, RepliesCarryAddresses) {
  SocketAddress bound(*IpAddress::parse("192.168.1.2"), 40000);
  EXPECT_EQ(to_hex(encode_reply(Reply::succeeded, bound).view()), "05000001c0a801029c40");
  EXPECT_EQ(to_hex(encode_reply(Reply::connection_refused).view()), "05050001000000000000");
  auto decoded = std::get<ReplyMessage>(decode_reply(*from_hex("05000001c0a801029c40")));
  EXPECT_EQ(decoded, (ReplyMessage{0, {"192.168.1.2", 40000}}));
}

TEST(Socks5Codec, ARepliedHostMayBeAName) {
  auto hex = [](std::string host) {
    return to_hex(encode_reply(Reply::succeeded, Endpoint{std::move(host), 80})->view());
  };
  EXPECT_EQ(hex("gw.example"), "050000030a67772e6578616d706c650050");
  EXPECT_EQ(hex("203.0.113.5"), "05000001cb0071050050");
  EXPECT_EQ(hex("::1"), "05000004000000000000000000000000000000010050");
  EXPECT_FALSE(encode_reply(Reply::succeeded, Endpoint{std::string(256, 'a'), 80}));
}

TEST(Socks5Codec, ReservedBytesAreZeroUnlessSaidOtherwise) {
  EXPECT_EQ(to_hex(encode_request({0xf3, {"", 0}})->view()), "05f30001000000000000");
  EXPECT_EQ(to_hex(encode_request({0xf3, {"", 0}, kEmptyFramesUnderstood})->view()), "05f30101000000000000");
  EXPECT_EQ(to_hex(encode_reply(Reply::succeeded, {}, kEmptyFramesUnderstood).view()), "05000101000000000000");
  EXPECT_EQ(std::get<ReplyMessage>(decode_reply(*from_hex("05000101000000000000"))),
            (ReplyMessage{0, {"0.0.0.0", 0}, kEmptyFramesUnderstood}));
}

TEST(Socks5Codec, HostsAreEncodedAsGostEncodesThem) {
  auto hex = [](std::string host) { return to_hex(encode_request({1, {std::move(host), 80}})->view()); };
  EXPECT_EQ(hex(""), "05010001000000000050");
  EXPECT_EQ(hex("1.2.3.4"), "05010001010203040050");
  EXPECT_EQ(hex("::ffff:1.2.3.4"), "05010001010203040050");
  EXPECT_EQ(hex("::1"), "05010004000000000000000000000000000000010050");
  EXPECT_EQ(hex("a.b"), "0501000303612e620050");
  EXPECT_FALSE(encode_request({1, {std::string(256, 'x'), 80}}));
}

TEST(Socks5Codec, CredentialsMayBeEmptyAndLongButNotTooLong) {
  EXPECT_EQ(std::get<Credentials>(decode_credentials(*from_hex("010000"))), Credentials());
  EXPECT_FALSE(encode_credentials({std::string(256, 'u'), ""}));
  EXPECT_FALSE(encode_credentials({"", std::string(256, 'p')}));
  EXPECT_TRUE(is_error(decode_credentials(*from_hex("02"))));
  EXPECT_EQ(to_hex(encode_auth_status(true)), "0100");
  EXPECT_EQ(std::get<bool>(decode_auth_status(*from_hex("0101"))), false);
}

RC_GTEST_PROP(Socks5Codec, CredentialsRoundTrip, (std::string user, std::string password)) {
  Credentials credentials{text_up_to_255(user), text_up_to_255(password)};
  RC_ASSERT(decode_stepwise<Credentials>(encode_credentials(credentials)->view(), &decode_credentials) ==
            credentials);
}

RC_GTEST_PROP(Socks5Codec, RequestsRoundTrip,
              (std::uint8_t command, std::string host, std::uint16_t port, std::uint8_t reserved)) {
  Request request{command, {text_up_to_255(host), port}, reserved};
  Request expected = request;
  if (request.target.host.empty()) expected.target.host = "0.0.0.0";
  RC_PRE(!IpAddress::parse(request.target.host));
  RC_ASSERT(decode_stepwise<Request>(encode_request(request)->view(), &decode_request) == expected);
}

RC_GTEST_PROP(Socks5Codec, GreetingsRoundTrip, ()) {
  auto size = *rc::gen::inRange<std::size_t>(1, 256);
  std::vector<std::uint8_t> bytes{5, static_cast<std::uint8_t>(size)};
  Greeting expected;
  for (std::size_t i = 0; i < size; ++i) {
    bytes.push_back(*rc::gen::arbitrary<std::uint8_t>());
    expected.methods.set(bytes.back());
  }
  RC_ASSERT(decode_stepwise<Greeting>(bytes, &decode_greeting) == expected);
}

}  // namespace
}  // namespace gost::socks5
