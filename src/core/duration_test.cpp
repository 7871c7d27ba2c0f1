#include "core/duration.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ParsesWhatGoParses) {
  EXPECT_EQ(parse_duration("30s").value(), 30s);
  EXPECT_EQ(parse_duration("1h2m3.5s").value(), 1h + 2min + 3500ms);
  EXPECT_EQ(parse_duration("-1.5h").value(), -90min);
  EXPECT_EQ(parse_duration("0").value(), 0s);
  EXPECT_EQ(parse_duration(".5ms").value(), 500us);
  EXPECT_EQ(parse_duration("3\u00b5s").value(), 3us);
}

TEST(Duration, RefusesWithGosWords) {
  EXPECT_EQ(parse_duration("1d").error().text, "time: unknown unit \"d\" in duration \"1d\"");
  EXPECT_EQ(parse_duration("10").error().text, "time: missing unit in duration \"10\"");
  EXPECT_EQ(parse_duration("").error().text, "time: invalid duration \"\"");
  for (auto text : {"-", ".", "s", "1s2", "9223372036854775808ns", "99999999999h"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsAsGoPrints) {
  EXPECT_EQ(to_string(Duration(0)), "0s");
  EXPECT_EQ(to_string(Duration(1min)), "1m0s");
  EXPECT_EQ(to_string(Duration(8760h)), "8760h0m0s");
  EXPECT_EQ(to_string(Duration(1500ms)), "1.5s");
  EXPECT_EQ(to_string(Duration(2500us)), "2.5ms");
  EXPECT_EQ(to_string(Duration(30)), "30ns");
  EXPECT_EQ(to_string(Duration(-2s)), "-2s");
}

RC_GTEST_PROP(Duration, PrintedTextReadsBack, (std::int32_t microseconds)) {
  Duration duration = std::chrono::microseconds(microseconds);
  RC_ASSERT(parse_duration(to_string(duration)).value() == duration);
}

}  // namespace
}  // namespace gost
