#include "config/check.hpp"

#include "config/check_rules.hpp"
#include "config/sources.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gost::config {
namespace {

Availability this_build() {
  return {{"auto", "forward", "socks4", "socks5", "tcp", "udp"},
          {"tcp", "udp"},
          {"direct", "forward", "socks4", "socks5", "tcp"},
          {"direct", "tcp", "udp"},
          {Feature::chains, Feature::forwarders, Feature::bypasses, Feature::resolvers, Feature::hosts}};
}

Surroundings quiet() {
  return {[](const std::string&) { return std::nullopt; }, [] { return fail(Cause::other, "no stdin"); }, {}};
}

/// What `gost check` prints.
std::string report(const Flags& flags) {
  auto loaded = load(flags, quiet());
  if (!loaded) return loaded.error().text + "\n";
  std::string text;
  for (const Problem& problem : loaded->problems) text += problem.to_string() + "\n";
  for (const Problem& problem : check(loaded->config, this_build())) text += problem.to_string() + "\n";
  return text;
}

/// Each bad configuration in tests/golden/check and the report on it, in NAME.EXTENSION.txt. Run with
/// GOST_UPDATE_GOLDEN=1 to write the reports anew, then read the difference.
TEST(Check, ReportsEachKindOfBadConfiguration) {
  std::filesystem::current_path(GOST_SOURCE_DIR "/tests/golden/check");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(".")) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".txt")) continue;
    ++files;
    Flags flags;
    flags.sources = {name};
    std::string actual = report(flags);
    if (std::getenv("GOST_UPDATE_GOLDEN") != nullptr) std::ofstream(name + ".txt") << actual;
    std::stringstream expected;
    expected << std::ifstream(name + ".txt").rdbuf();
    EXPECT_EQ(actual, expected.str()) << name;
  }
  EXPECT_GE(files, 17U);
}

std::string report_line(std::vector<std::string> services, std::vector<std::string> nodes = {}) {
  Flags flags;
  flags.services = std::move(services);
  flags.nodes = std::move(nodes);
  return report(flags);
}

TEST(Check, GoodCommandLinesHaveNoProblems) {
  EXPECT_EQ(report_line({"socks5://user:pass@:1080?udp=true&bind=true&notls=true&reuseport=true&dialTimeout=5s"}),
            "");
  EXPECT_EQ(report_line({"socks4://[::1]:1080", ":1081"}), "");
}

TEST(Check, SpeaksOfArguments) {
  EXPECT_EQ(report_line({":1080", "socks5+quic://:8080"}),
            "-L #2: error: listener 'quic' is not available in this build\n");
  EXPECT_EQ(report_line({"socks5://:1080?udpBuferSize=1"}),
            "-L #1: warning: unknown option 'udpBuferSize'. Did you mean 'udpBufferSize'?\n");
  EXPECT_EQ(
      report_line({"socks5://:1080?readTimeout=1d"}),
      "-L #1: error: readTimeout: the text \"1d\" is not a duration such as \"30s\" or \"1m30s\", or a number of "
      "seconds\n");
  EXPECT_EQ(report_line({"socks5://:pass@:1080"}),
            "-L #1: error: 'auth' has a password but no username, so nobody would be asked for it; add a username or "
            "remove 'auth'\n");
  EXPECT_NE(report_line({":1080"}, {"socks5://"}).find("-F #1: error: no proxy address"), std::string::npos);
  EXPECT_NE(report_line({"8080"}).find("address 8080: missing port in address"), std::string::npos);
}

TEST(Check, SaysOnceWhatIsWrongWithEveryServiceOfARange) {
  EXPECT_EQ(report_line({"socks5://:1-9999?udpBuferSize=1&readTimeuot=1"}),
            "-L #1: warning: unknown option 'readTimeuot'. Did you mean 'readTimeout'?\n"
            "-L #1: warning: unknown option 'udpBuferSize'. Did you mean 'udpBufferSize'?\n");
  EXPECT_EQ(report_line({":1?foo=1", ":2?foo=1"}),
            "-L #1: warning: unknown option 'foo'.\n"
            "-L #2: warning: unknown option 'foo'.\n");
}

TEST(Check, ReadsLimits) {
  for (auto line : {"$ 1MB", "$$\t1MB500KB 2MiB", "10.0.0.0/8 1.5GB 1B 3B", "::1 1EB"})
    EXPECT_FALSE(bad_traffic_limit(line)) << line;
  for (auto line : {"", "$", "$ 100", "$ 1K", "$ 10mb", "x 1MB", "10.0.0.0/33 1MB", "$ 1MB 1MB 1MB 1MB", "$ MB"})
    EXPECT_TRUE(bad_traffic_limit(line)) << line;
  EXPECT_FALSE(bad_count_limit("$$ 10", false));
  EXPECT_FALSE(bad_count_limit("$ 2.5", true));
  for (auto line : {"$ 2.5", "$ 0", "$ -1", "$", "$ 1 2", "y 1"}) EXPECT_TRUE(bad_count_limit(line, false)) << line;
}

}  // namespace
}  // namespace gost::config
