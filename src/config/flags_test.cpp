#include "config/flags.hpp"

#include <gtest/gtest.h>

namespace gost::config {
namespace {

std::expected<Flags, FlagError> parse(std::vector<const char*> arguments) {
  return parse_flags(arguments);
}

std::string first_line(const std::expected<Flags, FlagError>& parsed) {
  return parsed ? "parsed" : parsed.error().text.substr(0, parsed.error().text.find('\n'));
}

TEST(Flags, AcceptsEverySpelling) {
  auto flags = parse({"-L", ":1", "--L", ":2", "-L=:3", "--L=", "-D", "-DD=false", "-C", "-", "-O=json", "-R", "1m"});
  ASSERT_TRUE(flags);
  EXPECT_EQ(flags->services, (std::vector<std::string>{":1", ":2", ":3", ""}));
  EXPECT_TRUE(flags->debug);
  EXPECT_FALSE(flags->trace);
  EXPECT_EQ(flags->sources, std::vector<std::string>{"-"});
  EXPECT_EQ(flags->output_format, "json");
  EXPECT_EQ(flags->reload_period, std::chrono::minutes(1));
  EXPECT_EQ(flags->drain, std::chrono::seconds(10));
}

TEST(Flags, StopsAtTheFirstPositional) {
  auto flags = parse({"-D", "x", "-L", ":1"});
  ASSERT_TRUE(flags);
  EXPECT_TRUE(flags->debug);
  EXPECT_TRUE(flags->services.empty());
  EXPECT_TRUE(parse({"-", "-nosuch"}));
}

TEST(Flags, AValueMayLookLikeAFlag) {
  auto flags = parse({"-L", "-D"});
  ASSERT_TRUE(flags);
  EXPECT_EQ(flags->services, std::vector<std::string>{"-D"});
  EXPECT_FALSE(flags->debug);
}

TEST(Flags, CheckIsTheFirstWord) {
  auto flags = parse({"check", "-C", "x.yml", "-drain", "3s"});
  ASSERT_TRUE(flags);
  EXPECT_TRUE(flags->check);
  EXPECT_EQ(flags->sources, std::vector<std::string>{"x.yml"});
  EXPECT_EQ(flags->drain, std::chrono::seconds(3));
  EXPECT_FALSE(parse({"-D", "check"})->check);
}

TEST(Flags, HelpAndVersion) {
  EXPECT_TRUE(parse({"-h"})->help);
  EXPECT_TRUE(parse({"--help"})->help);
  EXPECT_TRUE(parse({"-V"})->version);
  EXPECT_NE(usage().find("-L URL"), std::string::npos);
}

TEST(Flags, ErrorsAreGosWithUsage) {
  auto unknown = parse({"-x"});
  EXPECT_EQ(first_line(unknown), "flag provided but not defined: -x");
  EXPECT_EQ(unknown.error().exit_code, 2);
  EXPECT_NE(unknown.error().text.find("Usage of gost:"), std::string::npos);
  EXPECT_EQ(first_line(parse({"-C"})), "flag needs an argument: -C");
  EXPECT_EQ(first_line(parse({"-D=maybe"})), "invalid boolean value \"maybe\" for -D: parse error");
  EXPECT_EQ(first_line(parse({"-R", "1d"})), "invalid value \"1d\" for flag -R: parse error");
  EXPECT_EQ(first_line(parse({"---L"})), "bad flag syntax: ---L");
  EXPECT_EQ(first_line(parse({"-=x"})), "bad flag syntax: -=x");
}

TEST(Flags, WorkerModeIsRefused) {
  EXPECT_EQ(first_line(parse({"-L", ":1", "--", "-L", ":2"})),
            "worker mode ('--' between arguments) is not available in this build: start one process per worker");
}

}  // namespace
}  // namespace gost::config
