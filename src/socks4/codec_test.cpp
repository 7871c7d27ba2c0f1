#include "socks4/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost::socks4 {
namespace {

Decode<Request> decode_hex(std::string_view hex) {
  return decode_request(*from_hex(hex));
}

Request request_of(std::string_view hex) {
  auto decoded = decode_hex(hex);
  EXPECT_TRUE(std::holds_alternative<Request>(decoded)) << hex;
  return std::holds_alternative<Request>(decoded) ? std::get<Request>(decoded) : Request{};
}

// The examples of wire.md §1.4.
TEST(Socks4Codec, DecodesTheReferenceExamples) {
  EXPECT_EQ(request_of("04 01 00 50 00 00 00 01 62 6f 62 00 65 78 61 6d 70 6c 65 2e 63 6f 6d 00"),
            (Request{Command::connect, {"example.com", 80}, "bob"}));
  EXPECT_EQ(request_of("04 01 00 50 00 00 00 01 00 31 2e 32 2e 33 2e 34 00"),
            (Request{Command::connect, {"1.2.3.4", 80}, ""}));
  EXPECT_EQ(request_of("04 01 00 50 01 02 03 04 00"), (Request{Command::connect, {"1.2.3.4", 80}, ""}));
  EXPECT_EQ(request_of("04 02 00 50 00 00 00 00 00"), (Request{Command::bind, {"0.0.0.0", 80}, ""}));
  EXPECT_EQ(request_of("04 01 00 50 00 00 00 ff 00 00"), (Request{Command::connect, {"", 80}, ""}));
}

TEST(Socks4Codec, EncodesTheReferenceExamples) {
  EXPECT_EQ(to_hex(*encode_request({Command::connect, {"example.com", 80}, "bob"})),
            "0401005000000001626f62006578616d706c652e636f6d00");
  EXPECT_EQ(to_hex(*encode_request({Command::connect, {"1.2.3.4", 80}, ""})), "040100500102030400");
  EXPECT_EQ(to_hex(*encode_request({Command::connect, {"2001:db8::1", 80}, ""})),
            "040100500000000100323030313a6462383a3a3100");
  EXPECT_EQ(to_hex(encode_reply(Reply::granted)), "005a000000000000");
}

TEST(Socks4Codec, RefusesWhatIsNoRequestAsEarlyAsPossible) {
  for (auto hex : {"05", "00", "0403", "0400"}) EXPECT_TRUE(std::holds_alternative<Error>(decode_hex(hex))) << hex;
}

TEST(Socks4Codec, TextsMayHave255BytesAndNotOneMore) {
  Request request{Command::connect, {std::string(255, 'h'), 1}, std::string(255, 'u')};
  EXPECT_EQ(std::get<Request>(decode_request(*encode_request(request))), request);
  std::vector<std::uint8_t> long_user = *from_hex("0401005001020304");
  long_user.insert(long_user.end(), 256, 'u');
  EXPECT_TRUE(std::holds_alternative<Error>(decode_request(long_user)));
  EXPECT_FALSE(encode_request({Command::connect, {"h", 1}, std::string(256, 'u')}));
  EXPECT_FALSE(encode_request({Command::connect, {std::string("a\0b", 3), 1}, ""}));
}

// Reading never more than NeedMore says reaches exactly the end of the message.
RC_GTEST_PROP(Socks4Codec, RoundTripsAndNeverAsksBeyondTheMessage, (std::uint16_t port, bool bind)) {
  auto text = rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
  Request request{bind ? Command::bind : Command::connect, {*text, port}, *text};
  request.target.host.resize(std::min<std::size_t>(request.target.host.size(), 255));
  auto bytes = *encode_request(request);
  std::size_t have = 0;
  for (;;) {
    auto decoded = decode_request(Bytes(bytes).first(have));
    if (auto* result = std::get_if<Request>(&decoded)) {
      RC_ASSERT(*result == request);
      break;
    }
    RC_ASSERT(std::holds_alternative<NeedMore>(decoded));
    std::size_t more = std::get<NeedMore>(decoded).bytes;
    RC_ASSERT(more > 0U);
    RC_ASSERT(have + more <= bytes.size());
    have += more > 1 ? *rc::gen::inRange<std::size_t>(1, more + 1) : 1;
  }
  RC_ASSERT(have == bytes.size());
}

}  // namespace
}  // namespace gost::socks4
