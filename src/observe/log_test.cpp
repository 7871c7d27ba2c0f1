#include "observe/log.hpp"

#include "observe/log_capture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gost {
namespace {

TEST(Logger, ADefaultOneIsSilent) {
  Logger log;
  EXPECT_FALSE(log.enabled(Level::fatal));
  log.fatal("nobody hears this");
  log.with({{"a", "b"}}).write(Level::none, "nor this");
}

TEST(Logger, WritesFromItsLevelUp) {
  auto sink = std::make_shared<LogCapture>();
  Logger log(sink, Level::warn);
  EXPECT_FALSE(log.enabled(Level::info));
  EXPECT_TRUE(log.enabled(Level::warn));
  log.debug("1");
  log.info("2");
  log.warn("3");
  log.error("4");
  log.fatal("5");
  log.write(Level::none, "6");
  auto lines = sink->take();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["level"], "warn");
  EXPECT_EQ(nlohmann::json::parse(lines[2])["msg"], "5");
}

TEST(Logger, ContextIsInheritedAndNotShared) {
  auto sink = std::make_shared<LogCapture>();
  Logger log(sink, Level::info);
  Logger service = log.with({{"kind", "service"}, {"service", "a\"b"}});
  Logger handler = service.with({{"handler", "socks5"}});
  service.info("s");
  handler.info("h", {{"n", std::int64_t{7}}});
  auto lines = sink->take();
  auto first = nlohmann::json::parse(lines.at(0));
  auto second = nlohmann::json::parse(lines.at(1));
  EXPECT_EQ(first["service"], "a\"b");
  EXPECT_FALSE(first.contains("handler"));
  EXPECT_EQ(second["kind"], "service");
  EXPECT_EQ(second["handler"], "socks5");
  EXPECT_EQ(second["n"], 7);
}

TEST(Logger, CallerNamesThePlaceOfTheCall) {
  auto sink = std::make_shared<LogCapture>();
  Logger(sink, Level::debug, {.caller = true}).debug("here");
  auto line = nlohmann::json::parse(sink->take().at(0));
  EXPECT_TRUE(line["caller"].get<std::string>().starts_with("observe/log_test.cpp:")) << line;
}

TEST(Logger, JsonIsNeverColoured) {
  auto sink = std::make_shared<LogCapture>();
  Logger(sink, Level::info, {.format = LogFormat::json, .colours = true}).info("m");
  EXPECT_EQ(nlohmann::json::parse(sink->take().at(0))["level"], "info");
}

TEST(Logger, TakesItsTimeFromTheClock) {
  auto sink = std::make_shared<LogCapture>();
  WallTime now{std::chrono::milliseconds(123)};
  Logger log(sink, Level::info, {}, [&] { return now; });
  log.info("m");
  std::string expected;
  append_time(expected, now);
  EXPECT_EQ(nlohmann::json::parse(sink->take().at(0))["time"], expected);
}

}  // namespace
}  // namespace gost
