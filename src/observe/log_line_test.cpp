#include "observe/log_line.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace gost {
namespace {

using namespace std::chrono_literals;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string text_value(std::string_view text) {
  std::string out;
  append_text_value(out, text);
  return out;
}

class Zone {
 public:
  explicit Zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

std::string time_text(WallTime when) {
  std::string out;
  append_time(out, when);
  return out;
}

TEST(LogLine, NamesOfLevels) {
  EXPECT_EQ(parse_level("trace"), Level::trace);
  EXPECT_EQ(parse_level("WARN"), Level::warn);
  EXPECT_EQ(parse_level("none"), Level::none);
  EXPECT_EQ(parse_level("verbose"), std::nullopt);
  for (auto level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::fatal, Level::none})
    EXPECT_EQ(parse_level(to_string(level)), level);
}

TEST(LogLine, TimeHasMillisecondsAndZone) {
  // The cache is per second, so each zone is asked for another second.
  {
    Zone zone("UTC0");
    EXPECT_EQ(time_text(WallTime(1795396792s + 13ms)), "2026-11-23T01:19:52.013Z");
    EXPECT_EQ(time_text(WallTime(1795396792s + 999ms + 999us)), "2026-11-23T01:19:52.999Z");
    EXPECT_EQ(time_text(WallTime(1795396793s)), "2026-11-23T01:19:53.000Z");
  }
  {
    Zone zone("CST-8");
    EXPECT_EQ(time_text(WallTime(1795396794s)), "2026-11-23T09:19:54.000+08:00");
  }
  {
    Zone zone("XXX3:30");
    EXPECT_EQ(time_text(WallTime(1795396795s)), "2026-11-22T21:49:55.000-03:30");
  }
}

TEST(LogLine, JsonStringsEscapeOnlyWhatTheyMust) {
  EXPECT_EQ(json_string("a <-> b & c"), R"("a <-> b & c")");
  EXPECT_EQ(json_string("q\"b\\"), R"("q\"b\\")");
  EXPECT_EQ(json_string("a\nb\rc\td"), R"("a\nb\rc\td")");
  EXPECT_EQ(json_string("\x1b[31m\x7f"), R"("\u001b[31m\u007f")");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(json_string("grüße €😀"), "\"grüße €😀\"");
}

TEST(LogLine, JsonStringsReplaceInvalidUtf8) {
  EXPECT_EQ(json_string("a\xff z"), R"("a\ufffd z")");
  EXPECT_EQ(json_string("\xc3"), R"("\ufffd")");
  EXPECT_EQ(json_string("\xc0\xaf"), R"("\ufffd\ufffd")");                      // overlong '/'
  EXPECT_EQ(json_string("\xe0\x80\x80"), R"("\ufffd\ufffd\ufffd")");            // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");            // surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // beyond U+10FFFF
}

TEST(LogLine, WhatSteersATerminalIsEscapedInBothFormats) {
  EXPECT_EQ(json_string("\u009b31m"), R"("\u009b31m")");
  EXPECT_EQ(json_string("\u202eabc\u2028"), R"("\u202eabc\u2028")");
  EXPECT_EQ(text_value("\u009b31m"), R"("\u009b31m")");
  EXPECT_EQ(text_value("\x1b]0;x\x07"), R"("\x1b]0;x\x07")");
}

RC_GTEST_PROP(LogLine, AnyBytesGiveAReadableJsonString, (const std::string& bytes)) {
  std::string rendered = json_string(bytes);
  auto parsed = nlohmann::json::parse(rendered, nullptr, false);
  RC_ASSERT(parsed.is_string());
  bool ascii = std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) RC_ASSERT(parsed.get<std::string>() == bytes);
  RC_ASSERT(std::ranges::none_of(rendered, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
}

RC_GTEST_PROP(LogLine, TextValuesNeverLeaveTheirField, (const std::string& bytes)) {
  std::string rendered = text_value(bytes);
  RC_ASSERT(!rendered.empty());
  if (rendered.front() != '"') {
    RC_ASSERT(rendered == bytes);
    RC_ASSERT(rendered.find_first_of(" =\"\\\n\r\t") == std::string::npos);
    return;
  }
  RC_ASSERT(rendered.back() == '"' && rendered.size() >= 2);
  for (std::size_t i = 1; i + 1 < rendered.size(); ++i) {
    auto c = static_cast<unsigned char>(rendered[i]);
    RC_ASSERT(c >= 0x20 && c != 0x7f && c != '"');
    if (c == '\\') RC_ASSERT(++i + 1 < rendered.size());
  }
}

TEST(LogLine, TextValuesAreQuotedWhenNeeded) {
  EXPECT_EQ(text_value("service-0"), "service-0");
  EXPECT_EQ(text_value("127.0.0.1:80"), "127.0.0.1:80");
  EXPECT_EQ(text_value(""), R"("")");
  EXPECT_EQ(text_value("a b"), R"("a b")");
  EXPECT_EQ(text_value("a=b"), R"("a=b")");
  EXPECT_EQ(text_value("x\nlevel=fatal"), R"("x\nlevel=fatal")");
  EXPECT_EQ(text_value("\xff"), R"("\xff")");
}

TEST(LogLine, BothFormsOfAWholeLine) {
  Zone zone("UTC0");
  const Field extra[] = {{"count", std::int64_t{-3}}, {"ok", true}, {"user", "a b"}};
  const WallTime when(1795396801s + 5ms);
  std::string context;
  append_field(context, LogFormat::json, {"kind", "service"});
  std::string line;
  append_line(line, {}, when, Level::info, "hello", context, extra, {});
  EXPECT_EQ(line, R"({"time":"2026-11-23T01:20:01.005Z","level":"info","msg":"hello","kind":"service","count":-3,)"
                  "\"ok\":true,\"user\":\"a b\"}\n");

  context.clear();
  append_field(context, LogFormat::text, {"kind", "service"});
  line.clear();
  append_line(line, {.format = LogFormat::text}, when, Level::warn, "hello you", context, extra, {});
  EXPECT_EQ(line,
            "time=2026-11-23T01:20:01.005Z level=warn msg=\"hello you\" kind=service count=-3 ok=true "
            "user=\"a b\"\n");
}

TEST(LogLine, ColoursSurroundOnlyTheLevel) {
  std::string line;
  append_line(line, {.format = LogFormat::text, .colours = true}, {}, Level::error, "m", {}, {}, {});
  EXPECT_NE(line.find(" level=\x1b[31merror\x1b[0m msg=m\n"), std::string::npos) << line;
}

}  // namespace
}  // namespace gost
