#include "mux/smux_frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

template <class T>
std::string hex(const T& frame) {
  return to_hex(frame);
}

TEST(SmuxFrame, IsEncodedAsTheGoLibraryDoes) {
  EXPECT_EQ(hex(encode_smux_header({1, SmuxCommand::syn, 0, 3})), "0100000003000000");
  EXPECT_EQ(hex(encode_smux_header({1, SmuxCommand::psh, 10, 3})), "01020a0003000000");
  EXPECT_EQ(hex(encode_smux_header({1, SmuxCommand::fin, 0, 3})), "0101000003000000");
  EXPECT_EQ(hex(encode_smux_header({2, SmuxCommand::nop, 0, 0})), "0203000000000000");
  EXPECT_EQ(hex(encode_smux_header({2, SmuxCommand::psh, 32768, 0x01020304})), "0202008004030201");
  EXPECT_EQ(hex(encode_smux_update(2, 3, {5, 65536})), "02040800030000000500000000000100");
  EXPECT_EQ(hex(encode_smux_update(2, 3, {0x8005, 65536})), "02040800030000000580000000000100");
}

TEST(SmuxFrame, ASplitHeaderNeedsTheRest) {
  auto bytes = encode_smux_header({1, SmuxCommand::fin, 0, 3});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto decoded = decode_smux_header(Bytes(bytes).first(size), 1);
    ASSERT_TRUE(std::holds_alternative<NeedMore>(decoded)) << size;
    EXPECT_EQ(std::get<NeedMore>(decoded).bytes, bytes.size() - size);
  }
  EXPECT_EQ(std::get<NeedMore>(decode_smux_update(Bytes(bytes).first(5))).bytes, 3U);
}

TEST(SmuxFrame, AnotherVersionAndAnUnknownCommandAreErrors) {
  auto other = decode_smux_header(encode_smux_header({2, SmuxCommand::nop, 0, 0}), 1);
  EXPECT_EQ(std::get<Error>(other).text,
            "smux: the peer speaks version 2, not 1 (mux.version, or kcp.smuxver, must be the same at both ends)");
  for (auto [first, hint] :
       {std::pair(0, "yamux? mux.type must"), std::pair(5, "SOCKS without smux?"), std::pair(22, "TLS?"),
        std::pair(71, "is it smux?"), std::pair(255, "snappy? kcp.nocomp must")}) {
    std::array<std::uint8_t, 8> bytes{static_cast<std::uint8_t>(first)};
    EXPECT_NE(std::get<Error>(decode_smux_header(bytes, 1)).text.find(hint), std::string::npos) << first;
  }
  auto unknown = decode_smux_header(from_hex("0105000000000000").value(), 1);
  EXPECT_EQ(std::get<Error>(unknown).text, "smux: unknown command 5");
  EXPECT_EQ(std::get<Error>(unknown).cause, Cause::protocol);
}

RC_GTEST_PROP(SmuxFrame, WhatIsEncodedIsDecoded,
              (std::uint16_t length, std::uint32_t stream, std::uint32_t consumed, std::uint32_t window)) {
  auto version = static_cast<std::uint8_t>(*rc::gen::inRange(1, 3));
  auto command = static_cast<SmuxCommand>(*rc::gen::inRange(0, 5));
  SmuxHeader header{version, command, length, stream};
  RC_ASSERT(std::get<SmuxHeader>(decode_smux_header(encode_smux_header(header), version)) == header);
  auto update = encode_smux_update(version, stream, {consumed, window});
  SmuxHeader wanted{version, SmuxCommand::upd, kSmuxUpdateSize, stream};
  RC_ASSERT(std::get<SmuxHeader>(decode_smux_header(update, version)) == wanted);
  auto payload = Bytes(update).subspan(kSmuxHeaderSize);
  RC_ASSERT((std::get<SmuxUpdate>(decode_smux_update(payload)) == SmuxUpdate{consumed, window}));
}

}  // namespace
}  // namespace gost
