#include "kcp/segment.hpp"

#include "kcp/sequence.hpp"

#include <gtest/gtest.h>

namespace gost::kcp {
namespace {

TEST(SegmentTest, RecordedSegment) {
  // wire.md §12.12
  auto bytes = from_hex(
      "6b63285e 51 00 2000 03000000 00000000 00000000 12000000"
      "ff060000734e61507059 01 0c0000 4439ac2f");
  Bytes packet(*bytes);
  auto segment = take_segment(packet);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->conversation, 0x5e28636bU);
  EXPECT_EQ(segment->command, Command::push);
  EXPECT_EQ(segment->window, 32U);
  EXPECT_EQ(segment->timestamp, 3U);
  EXPECT_EQ(segment->number, 0U);
  EXPECT_EQ(segment->una, 0U);
  EXPECT_EQ(segment->data.size(), 18U);
  EXPECT_TRUE(packet.empty());
  std::vector<std::uint8_t> again(kSegmentHeader);
  encode_header(*segment, again);
  EXPECT_EQ(to_hex(again), to_hex(Bytes(*bytes).first(kSegmentHeader)));
}

TEST(SegmentTest, SeveralInOnePacket) {
  std::vector<std::uint8_t> packet(2 * kSegmentHeader + 1);
  encode_header({.command = Command::ack, .number = 5}, packet);
  const std::uint8_t data[] = {1};
  encode_header({.command = Command::push, .number = 6, .data = data}, MutableBytes(packet).subspan(kSegmentHeader));
  Bytes rest(packet);
  EXPECT_EQ(take_segment(rest)->number, 5U);
  EXPECT_EQ(take_segment(rest)->number, 6U);
  EXPECT_FALSE(take_segment(rest));
  EXPECT_TRUE(rest.empty());
}

TEST(SegmentTest, Malformed) {
  std::vector<std::uint8_t> packet(kSegmentHeader + 10);
  auto refused = [&packet](const Segment& segment, std::size_t size) {
    encode_header(segment, packet);
    Bytes rest = Bytes(packet).first(size);
    return !take_segment(rest) && rest.size() == size;
  };
  EXPECT_TRUE(refused({}, 0));
  EXPECT_TRUE(refused({}, kSegmentHeader - 1));
  EXPECT_TRUE(refused({.command = static_cast<Command>(0x50)}, kSegmentHeader));
  EXPECT_TRUE(refused({.command = static_cast<Command>(0x55)}, kSegmentHeader));
  EXPECT_TRUE(refused({.data = {packet.data(), 11}}, packet.size()));
  EXPECT_TRUE(refused({.data = {packet.data(), 0xffff'ffff}}, packet.size()));
}

TEST(SequenceTest, DistanceAcrossTheWrap) {
  EXPECT_EQ(distance(5, 3), 2);
  EXPECT_EQ(distance(3, 5), -2);
  EXPECT_EQ(distance(1, 0xffff'ffff), 2);
  EXPECT_EQ(distance(0xffff'ffff, 1), -2);
}

TEST(SequenceTest, RingKeepsValuesAsItGrows) {
  SequenceRing<int> ring;
  constexpr std::uint32_t kFirst = 0xffff'fffd;
  for (std::uint32_t i = 0; i < 100; ++i) {
    ring.reserve(kFirst, i, i + 1);
    ring[kFirst + i] = static_cast<int>(i);
  }
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(ring[kFirst + i], static_cast<int>(i));
  EXPECT_EQ(ring.capacity(), 128U);
  ring.release_if_large();
  EXPECT_EQ(ring.capacity(), 0U);
}

}  // namespace
}  // namespace gost::kcp
