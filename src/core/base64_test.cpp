#include "core/base64.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

TEST(Base64, KnownAnswers) {
  EXPECT_EQ(base64_encode(as_bytes("user:pass")), "dXNlcjpwYXNz");
  EXPECT_EQ(base64_encode(as_bytes("u:p2")), "dTpwMg==");
  EXPECT_EQ(*base64_decode("dTpwMg=="), "u:p2");
  EXPECT_EQ(*base64_decode("dTpwMg"), "u:p2");
  EXPECT_EQ(*base64_decode("-_8="), *base64_decode("+/8"));
  EXPECT_EQ(*base64_decode(""), "");
}

TEST(Base64, RefusesWhatIsNone) {
  EXPECT_EQ(base64_decode("abc!efgh").error().text, "illegal base64 data at input byte 3");
  for (auto text : {"a", "abcde", "ab=c", "====", "dTpwMg="}) EXPECT_FALSE(base64_decode(text)) << text;
}

RC_GTEST_PROP(Base64, DecodesWhatItEncoded, (const std::string& text)) {
  RC_ASSERT(*base64_decode(base64_encode(as_bytes(text))) == text);
}

}  // namespace
}  // namespace gost
