#include "mux/yamux_frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

using namespace yamux_flag;

TEST(YamuxFrame, IsEncodedAsTheGoLibraryDoes) {
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::window_update, kSyn, 1, 0})), "000100010000000100000000");
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::window_update, kAck, 1, 0})), "000100020000000100000000");
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::data, 0, 0x01020304, 0x00040000})), "000000000102030400040000");
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::ping, kSyn, 0, 7})), "000200010000000000000007");
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::go_away, 0, 0, 1})), "000300000000000000000001");
  EXPECT_EQ(to_hex(encode_yamux_header({YamuxType::window_update, kFin | kRst, 3, 0})), "0001000c0000000300000000");
}

TEST(YamuxFrame, ASplitHeaderNeedsTheRest) {
  auto bytes = encode_yamux_header({YamuxType::data, 0, 3, 5});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto decoded = decode_yamux_header(Bytes(bytes).first(size));
    ASSERT_TRUE(std::holds_alternative<NeedMore>(decoded)) << size;
    EXPECT_EQ(std::get<NeedMore>(decoded).bytes, bytes.size() - size);
  }
}

TEST(YamuxFrame, AnotherVersionAndAnUnknownTypeAreErrors) {
  auto other = decode_yamux_header(from_hex("010000000300000000000000").value());
  EXPECT_EQ(std::get<Error>(other).text,
            "yamux: the peer speaks version 1, not 0 (mux.type must be the same at both ends)");
  EXPECT_EQ(std::get<Error>(decode_yamux_header(from_hex("05").value())).text,
            "yamux: the peer speaks version 5, not 0 (mux.type must be the same at both ends)");
  auto unknown = decode_yamux_header(from_hex("000400000000000000000000").value());
  EXPECT_EQ(std::get<Error>(unknown).text, "yamux: unknown type of frame 4");
  EXPECT_EQ(std::get<Error>(unknown).cause, Cause::protocol);
}

RC_GTEST_PROP(YamuxFrameProperties, DecodesWhatItEncodes,
              (std::uint8_t type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length)) {
  YamuxHeader header{static_cast<YamuxType>(type % 4), flags, stream, length};
  RC_ASSERT(std::get<YamuxHeader>(decode_yamux_header(encode_yamux_header(header))) == header);
}

}  // namespace
}  // namespace gost
