#include "observe/log_setup.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gost {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class LogSetup : public testing::Test {
 protected:
  LogSetup() {
    std::string pattern = (fs::temp_directory_path() / "gost-setup-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LogSetup() override { fs::remove_all(folder_); }

  std::string file() const { return (folder_ / "gost.log").string(); }
  std::string first_line() const {
    std::ifstream input(file());
    std::string line;
    std::getline(input, line);
    return line;
  }

  fs::path folder_;
};

TEST_F(LogSetup, NoneMeansNothingIsEverWritten) {
  for (const LogOptions& options : {LogOptions{.output = "none"}, {.output = "null"}, {.level = "none"}}) {
    auto log = open_log(options);
    EXPECT_FALSE(log.logger.enabled(Level::fatal));
    EXPECT_EQ(log.writer, nullptr);
    EXPECT_TRUE(log.warnings.empty());
  }
}

TEST_F(LogSetup, AFileGetsJsonAtInfo) {
  auto log = open_log({.output = file()});
  EXPECT_EQ(log.logger.level(), Level::info);
  log.logger.info("hello");
  ASSERT_TRUE(log.writer->flush(10s));
  auto line = nlohmann::json::parse(first_line());
  EXPECT_EQ(line["msg"], "hello");
  EXPECT_FALSE(line.contains("caller"));
}

TEST_F(LogSetup, DebugAddsTheCaller) {
  auto log = open_log({.output = file(), .level = "debug", .format = "text"});
  log.logger.debug("hello");
  ASSERT_TRUE(log.writer->flush(10s));
  EXPECT_NE(first_line().find(" level=debug msg=hello caller=observe/log_setup_test.cpp:"), std::string::npos)
      << first_line();
}

TEST_F(LogSetup, UnknownWordsFallBackAndAreNamed) {
  auto log = open_log({.output = file(), .level = "loud", .format = "xml"});
  EXPECT_EQ(log.logger.level(), Level::info);
  ASSERT_EQ(log.warnings.size(), 2U);
  EXPECT_NE(log.warnings[0].find("'loud'"), std::string::npos);
  EXPECT_NE(log.warnings[1].find("'xml'"), std::string::npos);
}

TEST_F(LogSetup, AnUnopenableFileFallsBackToStderr) {
  std::ofstream(folder_ / "file") << "x";
  auto log = open_log({.output = (folder_ / "file/gost.log").string()});
  ASSERT_EQ(log.warnings.size(), 1U);
  EXPECT_TRUE(log.warnings[0].ends_with("not a directory; the log goes to stderr instead")) << log.warnings[0];
  EXPECT_TRUE(log.logger.enabled(Level::info));
}

}  // namespace
}  // namespace gost
