#include "config/command_line.hpp"

#include "config/flags.hpp"
#include "config/print.hpp"
#include "config/sources.hpp"

#include "core/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace gost::config {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Surroundings no_surroundings() {
  return {[](const std::string&) { return std::nullopt; }, [] { return fail(Cause::other, "no stdin"); }, {}};
}

/// What -O prints for a command line given as one argument per line.
std::string printed(const std::string& lines) {
  std::vector<std::string> arguments;
  for (std::string_view line : split(lines, '\n'))
    if (!line.empty()) arguments.emplace_back(line);
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  auto flags = parse_flags(pointers);
  if (!flags) return flags.error().text;
  auto loaded = load(*flags, no_surroundings());
  if (!loaded) return loaded.error().text;
  return flags->output_format == "json" ? print_json(loaded->config) : print_yaml(loaded->config);
}

// The worked examples of the reference, E1 to E36, as `tests/golden/command_line/E*.args` (one argument a line) and
// the expected output. E28 differs on purpose: each node of a host list has its own host as serverName, where GOST
// puts the mangled "h1:1080,h2" into both.
TEST(CommandLine, PrintsWhatGostPrints) {
  std::size_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GOST_SOURCE_DIR "/tests/golden/command_line")) {
    if (entry.path().extension() != ".args") continue;
    auto expected = entry.path();
    expected.replace_extension(".yaml");
    if (!std::filesystem::exists(expected)) expected.replace_extension(".json");
    EXPECT_EQ(printed(read(entry.path())), read(expected)) << entry.path();
    ++examples;
  }
  EXPECT_GE(examples, 36U);
}

Result<Config> parse(std::vector<std::string> services, std::vector<std::string> nodes = {}) {
  Problems problems;
  return parse_command_line(services, nodes, problems);
}

std::string error_of(std::vector<std::string> services, std::vector<std::string> nodes = {}) {
  auto parsed = parse(std::move(services), std::move(nodes));
  return parsed ? "parsed" : parsed.error().text;
}

TEST(CommandLine, ErrorsAreGosWithTheArgumentInFront) {
  EXPECT_EQ(error_of({":1080"}, {" "}), "-F #1: invalid cmd");
  EXPECT_EQ(error_of({":1080"}, {"http://h1:8080,h2:8080"}),
            "-F #1: parse \"http://h1:8080,h2:8080\": invalid port \":8080,h2:8080\" after host");
  EXPECT_EQ(error_of({":1080", "socks5://us er@:1"}), "-L #2: parse \"socks5://us er@\": net/url: invalid userinfo");
  EXPECT_EQ(error_of({"socks5://u:%zz@:1"}), "-L #1: parse \"socks5://u:%zz@\": invalid URL escape \"%zz\"");
  EXPECT_EQ(error_of({"socks5://:1?auth=@@"}), "-L #1: auth: illegal base64 data at input byte 0");
  EXPECT_EQ(error_of({"127.0.0.1:80?x=a://b"}).substr(0, 16), "-L #1: parse \"12");
  EXPECT_EQ(
      error_of({"tcp://:1/h:2?failTimeout=soon"}),
      "-L #1: failTimeout: the text \"soon\" is not a duration such as \"30s\" or \"1m30s\", or a number of seconds");
}

TEST(CommandLine, BlankServicesAreSkipped) {
  auto config = parse({"", "  ", ":1"});
  ASSERT_TRUE(config);
  ASSERT_EQ(config->services.size(), 1U);
  EXPECT_EQ(config->services[0].name, "service-0");
  EXPECT_EQ(config->services[0].origin.to_string(), "-L #3");
}

TEST(CommandLine, KeepsAddressesThatAreNone) {
  for (std::string addr : {"8080", ":socks", ":3-2", ":1-99999999", "[::1", ""}) {
    auto config = parse({"socks5://" + addr});
    ASSERT_TRUE(config) << addr;
    ASSERT_EQ(config->services.size(), 1U) << addr;
    EXPECT_EQ(config->services[0].addr, addr);
  }
}

TEST(CommandLine, ReadsCredentialsAndIpv6) {
  auto config = parse({"socks5://us%40er:p%3Aass@[::1]:1080"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->services[0].addr, "[::1]:1080");
  EXPECT_EQ(config->services[0].handler->auth->username, "us@er");
  EXPECT_EQ(config->services[0].handler->auth->password, "p:ass");
}

TEST(CommandLine, EveryServiceOfAPortRangeGetsTheRules) {
  auto config = parse({"socks5://:1080-1081?admission=127.0.0.1&limiter.in=1MB"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->services[0].admission, "admission-0");
  EXPECT_EQ(config->services[1].admission, "admission-1");
  EXPECT_EQ(config->services[1].limiter, "limiter-1");
}

TEST(CommandLine, KeysThatDifferInCaseAreOne) {
  auto config = parse({"socks5://:1?interfacE=eth0&Foo=1&foo=2&service.FOO=3"});
  ASSERT_TRUE(config);
  const Service& service = config->services[0];
  EXPECT_EQ(service.metadata.entries().size(), 2U);
  EXPECT_EQ(service.metadata.find("interface")->text(), "eth0");
  EXPECT_EQ(service.metadata.find("foo")->text(), "3");
  EXPECT_EQ(service.handler->metadata.find("foo")->text(), "1");
}

TEST(CommandLine, PairsPortsWithTargets) {
  auto config = parse({"tcp://:1-3/h:7-8"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->services[1].forwarder->nodes[0].addr, "h:8");
  EXPECT_FALSE(config->services[2].forwarder);
}

TEST(CommandLine, WarnsOfWhatGostDoesSilently) {
  Problems problems;
  ASSERT_TRUE(parse_command_line({"sock5://:1", "socks5://:2?udp=true;bind=true"}, {"sokcs5://h:1"}, problems));
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(
      problems[0].to_string(),
      "-F #1: warning: unknown name 'sokcs5' in scheme 'sokcs5': used as connector http, dialer tcp. Did you mean "
      "'socks5'?");
  EXPECT_EQ(
      problems[1].to_string(),
      "-L #1: warning: unknown name 'sock5' in scheme 'sock5': used as handler auto, listener tcp. Did you mean "
      "'socks5'?");
  EXPECT_NE(problems[2].message.find("'udp=true;bind=true' is ignored"), std::string::npos);
}

TEST(CommandLine, ReadsManagementUrls) {
  auto metrics = parse_metrics_url("u:p@:9000?path=/m");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->addr, ":9000");
  EXPECT_EQ(metrics->auth->password, "p");
  EXPECT_EQ(parse_api_url("a b").error().text, "-api: parse \"auto://a b\": invalid character \" \" in host name");
}

RC_GTEST_PROP(CommandLine, NeverCrashesAndPrintsStably, (std::string text)) {
  for (const std::string& url : {text, "socks5://" + text, "tcp://:1/" + text, ":1?" + text}) {
    auto config = parse({url}, {});
    if (config) RC_ASSERT(!print_yaml(*config).empty());
    auto chain = parse({":1"}, {url});
    if (chain) RC_ASSERT(!print_json(*chain).empty());
  }
}

}  // namespace
}  // namespace gost::config
