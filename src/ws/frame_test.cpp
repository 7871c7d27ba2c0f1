#include "ws/frame.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace gost::ws {
namespace {

TEST(WsFrameHead, HasTheBytesOfTheRfcsExamples) {
  const MaskKey key{0x37, 0xfa, 0x21, 0x3d};
  struct Case {
    FrameHeader header;
    const char* hex;
  };
  for (const auto& [header, hex] : {
           Case{{.opcode = Opcode::text, .length = 5}, "8105"},
           Case{{.opcode = Opcode::text, .masked = true, .key = key, .length = 5}, "818537fa213d"},
           Case{{.opcode = Opcode::text, .fin = false, .length = 3}, "0103"},
           Case{{.opcode = Opcode::continuation, .length = 2}, "8002"},
           Case{{.opcode = Opcode::ping, .length = 5}, "8905"},
           Case{{.opcode = Opcode::pong, .masked = true, .key = key, .length = 5}, "8a8537fa213d"},
           Case{{.opcode = Opcode::binary, .length = 256}, "827e0100"},
           Case{{.opcode = Opcode::binary, .length = 65536}, "827f0000000000010000"},
           Case{{.opcode = Opcode::binary, .rsv1 = true, .length = 0}, "c200"},
       }) {
    EXPECT_EQ(to_hex(encode_frame_head(header).view()), hex);
    const auto bytes = *from_hex(hex);
    auto decoded = decode_frame_head(bytes);
    auto* head = std::get_if<DecodedFrameHead>(&decoded);
    ASSERT_NE(head, nullptr) << hex;
    EXPECT_EQ(head->size, bytes.size());
    EXPECT_EQ(to_hex(encode_frame_head(head->header).view()), hex);
  }
}

TEST(WsFrameHead, EveryLengthHasItsShortestForm) {
  struct Case {
    std::uint64_t length;
    std::size_t size;
  };
  for (const auto& [length, size] : {Case{0, 2},
                                     {1, 2},
                                     {125, 2},
                                     {126, 4},
                                     {127, 4},
                                     {65'535, 4},
                                     {65'536, 10},
                                     {std::uint64_t{1} << 32, 10},
                                     {(std::uint64_t{1} << 63) - 1, 10}}) {
    const FrameHead head = encode_frame_head({.length = length});
    EXPECT_EQ(head.size, size) << length;
    auto decoded = decode_frame_head(head.view());
    EXPECT_EQ(std::get<DecodedFrameHead>(decoded).header.length, length);
    for (std::size_t cut = 0; cut < head.size; ++cut) {
      auto part = decode_frame_head(head.view().first(cut));
      auto* missing = std::get_if<NeedMore>(&part);
      ASSERT_NE(missing, nullptr) << length << " cut at " << cut;
      EXPECT_LE(missing->bytes, head.size - cut) << "never beyond the head";
      EXPECT_GE(missing->bytes, 1U);
    }
  }
}

TEST(WsFrameHead, WhatIsWrongIsSaidAsSoonAsItIsThere) {
  struct Case {
    const char* hex;
    const char* error;
  };
  for (const auto& [hex, error] : {
           Case{"a200", "RSV2 set"},
           Case{"9200", "RSV3 set"},
           Case{"8300", "bad opcode 3"},
           Case{"8400", "bad opcode 4"},
           Case{"8700", "bad opcode 7"},
           Case{"8b00", "bad opcode 11"},
           Case{"8f00", "bad opcode 15"},
           Case{"897e", "len > 125 for control"},
           Case{"887f", "len > 125 for control"},
           Case{"0900", "FIN not set on control"},
           Case{"0800", "FIN not set on control"},
           Case{"827e007d", "length not in its shortest form"},
           Case{"827f000000000000ffff", "length not in its shortest form"},
           Case{"827f0000000000000000", "length not in its shortest form"},
           Case{"827f8000000000000000", "length over 63 bits"},
           Case{"827fffffffffffffffff", "length over 63 bits"},
       }) {
    auto decoded = decode_frame_head(*from_hex(hex));
    auto* found = std::get_if<Error>(&decoded);
    ASSERT_NE(found, nullptr) << hex;
    EXPECT_EQ(found->text, error) << hex;
    EXPECT_EQ(found->cause, Cause::protocol);
  }
}

TEST(WsMask, IsTheRfcsXorAtAnyOffsetLengthAndPlace) {
  const MaskKey key{0x37, 0xfa, 0x21, 0x3d};
  auto hello = std::vector<std::uint8_t>{'H', 'e', 'l', 'l', 'o'};
  mask(hello, key, 0);
  EXPECT_EQ(to_hex(hello), "7f9f4d5158");

  std::vector<std::uint8_t> plain(600);
  std::iota(plain.begin(), plain.end(), std::uint8_t{3});
  for (std::size_t place = 0; place < 9; ++place) {
    for (std::size_t size : {0U, 1U, 3U, 4U, 7U, 8U, 9U, 31U, 32U, 33U, 127U, 590U}) {
      for (std::uint64_t offset : {0U, 1U, 2U, 3U, 4U, 5U, 65'533U}) {
        auto in_place = plain;
        mask(MutableBytes(in_place).subspan(place, size), key, offset);
        std::vector<std::uint8_t> elsewhere(700, 0xEE);
        mask_into(elsewhere.data() + 1, Bytes(plain).subspan(place, size), key, offset);
        for (std::size_t i = 0; i < plain.size(); ++i) {
          const bool masked = i >= place && i < place + size;
          const std::uint8_t expected =
              masked ? static_cast<std::uint8_t>(plain[i] ^ key[(offset + i - place) % 4]) : plain[i];
          ASSERT_EQ(in_place[i], expected) << place << " " << size << " " << offset << " " << i;
          if (masked) ASSERT_EQ(elsewhere[1 + i - place], expected);
        }
        ASSERT_EQ(elsewhere[0], 0xEE);
        ASSERT_EQ(elsewhere[1 + size], 0xEE);
      }
    }
  }
}

TEST(WsClose, CodesThatMayTravel) {
  for (int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    const std::array<std::uint8_t, 3> payload{static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code),
                                              'x'};
    EXPECT_EQ(parse_close(payload).value(), code);
  }
  for (int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    const std::array<std::uint8_t, 2> payload{static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)};
    EXPECT_EQ(parse_close(payload).error().text, "bad close code " + std::to_string(code));
  }
  EXPECT_EQ(parse_close({}).value(), std::nullopt);
  EXPECT_EQ(parse_close(as_bytes("x")).error().text, "bad close payload");
}

}  // namespace
}  // namespace gost::ws
