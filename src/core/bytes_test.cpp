#include "core/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

RC_GTEST_PROP(Hex, RoundTrips, (std::vector<std::uint8_t> bytes)) {
  RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
}

TEST(Hex, RefusesOddAndForeignDigits) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
  EXPECT_EQ(from_hex("0A 0b")->size(), 2U);
}

TEST(ByteReader, StaysFailedAfterReadingBeyondTheEnd) {
  const std::uint8_t data[] = {1, 2, 3};
  ByteReader reader(data);
  EXPECT_EQ(reader.u16_be(), 0x0102);
  EXPECT_EQ(reader.u16_be(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.position(), 2U);
}

TEST(MessageBuffer, RefusesWhatDoesNotFit) {
  MessageBuffer<4> message;
  message.u16_be(0x0102).u8(3);
  EXPECT_EQ(to_hex(message.view()), "010203");
  message.u16_be(0x0405);
  EXPECT_FALSE(message.ok());
}

}  // namespace
}  // namespace gost
