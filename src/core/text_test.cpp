#include "core/text.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

TEST(Text, TrimsSplitsAndCompares) {
  EXPECT_EQ(trim("  a b\n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(split("a,,b", ',').size(), 3U);
  EXPECT_EQ(split("", ',').size(), 1U);
  EXPECT_TRUE(iequals("UdpBufferSize", "udpbuffersize"));
  EXPECT_FALSE(iequals("a", "ab"));
}

TEST(Text, NumbersAndBooleansAreStrict) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("+7"), 7);
  for (auto text : {"", "1x", " 1", "+-1", "99999999999999999999"}) EXPECT_FALSE(parse_int(text)) << text;
  EXPECT_EQ(parse_bool("T"), true);
  EXPECT_EQ(parse_bool("False"), false);
  EXPECT_FALSE(parse_bool("yes"));
}

TEST(Text, SuggestsOnlyLikelyMisspellings) {
  EXPECT_EQ(nearest("servces", {"chains", "services"}), "services");
  EXPECT_EQ(nearest("Handlr", {"handler", "listener"}), "handler");
  EXPECT_EQ(nearest("xyz", {"handler", "listener"}), "");
  EXPECT_EQ(nearest("listner", {"list", "listening", "listener"}), "listener") << "the nearest, not the first";
  EXPECT_EQ(nearest("readTimeuot", {"timeout", "readTimeout"}), "readTimeout");
  EXPECT_EQ(nearest("abcdef", {"abxyef"}), "abxyef") << "a third of the letters may differ";
  EXPECT_EQ(nearest("abcdef", {"abxyzf"}), "");
  EXPECT_EQ(nearest("", {"a", "ab"}), "a");
}

TEST(Text, SecretsMatchOnlyWhenEqual) {
  EXPECT_TRUE(constant_time_equal("pass", "pass"));
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_FALSE(constant_time_equal("", "x"));
  EXPECT_FALSE(constant_time_equal("pass", ""));
  EXPECT_FALSE(constant_time_equal("pass", "passpass"));
  EXPECT_FALSE(constant_time_equal("passpass", "pass"));
}

}  // namespace
}  // namespace gost
