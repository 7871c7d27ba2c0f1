#include "socks4/client_codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost::socks4 {
namespace {

std::string named(std::string host, std::string user = "") {
  return to_hex(*encode_named_request({Command::connect, {std::move(host), 0x5a8f}, std::move(user)}));
}

TEST(Socks4ClientCodec, EveryHostTravelsAsText) {
  EXPECT_EQ(named("127.0.0.1"), "04015a8f00000001003132372e302e302e3100");
  EXPECT_EQ(named("::1"), "04015a8f00000001003a3a3100");
  EXPECT_EQ(named("localhost"), "04015a8f00000001006c6f63616c686f737400");
  EXPECT_EQ(named("1.2.3.4", "bob"), "04015a8f00000001626f6200312e322e332e3400");
  EXPECT_EQ(named("0.0.0.7"), "04015a8f0000000100302e302e302e3700");
  EXPECT_EQ(named(""), "04015a8f000000010000");
}

TEST(Socks4ClientCodec, WhatDoesNotFitIsRefused) {
  EXPECT_FALSE(encode_named_request({Command::connect, {std::string(256, 'h'), 1}, ""}));
  EXPECT_FALSE(encode_named_request({Command::connect, {"1.2.3.4", 1}, std::string(256, 'u')}));
}

TEST(Socks4ClientCodec, RepliesAreReadToTheirEighthByte) {
  auto bytes = *from_hex("005a5a8f7f000001ff");
  for (std::size_t size = 0; size < 8; ++size)
    EXPECT_EQ(std::get<NeedMore>(decode_reply(Bytes(bytes).first(size))).bytes, 8 - size);
  EXPECT_EQ(std::get<Reply>(decode_reply(bytes)), Reply::granted);
  EXPECT_EQ(std::get<Error>(decode_reply(*from_hex("04"))).cause, Cause::protocol);
}

RC_GTEST_PROP(Socks4ClientCodec, RequestsRoundTrip, (std::uint16_t port)) {
  auto text = rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
  auto host = *rc::gen::oneOf(text, rc::gen::elementOf(std::vector<std::string>{"10.0.0.1", "::1", "0.0.0.9"}));
  Request request{Command::connect, {host, port}, *text};
  RC_ASSERT(std::get<Request>(decode_request(*encode_named_request(request))) == request);
}

RC_GTEST_PROP(Socks4ClientCodec, EveryReplyOfAServerIsRead, (std::uint8_t code)) {
  RC_ASSERT(std::get<Reply>(decode_reply(encode_reply(static_cast<Reply>(code)))) == static_cast<Reply>(code));
}

}  // namespace
}  // namespace gost::socks4
