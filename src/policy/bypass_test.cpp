#include "policy/bypass.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gost {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const BypassList> list_of(const std::vector<std::string>& matchers,
                                          const BypassOptions& options = {}) {
  return BypassList::make(matchers, options).value();
}

bool contains(const Bypass& bypass, std::string_view host, Network network = Network::tcp) {
  return bypass.contains(network, host, 80);
}

TEST(BypassList, ABlacklistBypassesWhatMatches) {
  auto list = list_of({".example.org", "10.0.0.0/8"});
  EXPECT_TRUE(contains(*list, "www.example.org"));
  EXPECT_TRUE(contains(*list, "10.0.0.1"));
  EXPECT_FALSE(contains(*list, "example.net"));
}

TEST(BypassList, AWhitelistBypassesEverythingElse) {
  auto list = list_of({".example.org"}, {.whitelist = true});
  EXPECT_FALSE(contains(*list, "www.example.org"));
  EXPECT_TRUE(contains(*list, "example.net"));
}

TEST(BypassList, WithoutMatchersItBypassesNothing) {
  EXPECT_FALSE(contains(*list_of({}), "a"));
  EXPECT_FALSE(contains(*list_of({}, {.whitelist = true}), "a"));
}

TEST(BypassList, ANetworkLimitsItAndIsARuleByItself) {
  auto list = list_of({"a"}, {.network = Network::udp});
  EXPECT_TRUE(contains(*list, "a", Network::udp));
  EXPECT_FALSE(contains(*list, "a", Network::tcp));
  auto all = list_of({}, {.network = Network::udp});
  EXPECT_TRUE(contains(*all, "b", Network::udp));
  EXPECT_FALSE(contains(*all, "b", Network::tcp));
  auto white = list_of({"a"}, {.whitelist = true, .network = Network::udp});
  EXPECT_TRUE(contains(*white, "b", Network::udp));
  EXPECT_FALSE(contains(*white, "b", Network::tcp));
}

TEST(BypassList, AMatcherThatMeansNothingIsAnError) {
  auto made = BypassList::make({"a", "10.0.0.0/99"}, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "matcher '10.0.0.0/99': is not a CIDR block such as '10.0.0.0/8'");
}

TEST(BypassGroup, WhitelistsAddUpAndAnyBlacklistCounts) {
  auto white_a = list_of({"a"}, {.whitelist = true});
  auto white_b = list_of({"b"}, {.whitelist = true});
  auto black_c = list_of({"c", "a"});
  BypassGroup whites({white_a, white_b});
  EXPECT_FALSE(contains(whites, "a"));
  EXPECT_FALSE(contains(whites, "b"));
  EXPECT_TRUE(contains(whites, "c"));
  BypassGroup mixed({white_a, white_b, black_c});
  EXPECT_TRUE(contains(mixed, "a"));
  EXPECT_FALSE(contains(mixed, "b"));
  EXPECT_TRUE(contains(mixed, "c"));
  EXPECT_TRUE(contains(mixed, "d"));
  EXPECT_FALSE(contains(BypassGroup({}), "a"));
  EXPECT_FALSE(mixed.whitelist());
}

TEST(ParseMatchers, OneALineWithComments) {
  auto matchers = parse_matchers("\xef\xbb\xbf# comment\n\n .example.org # trailing\r\n10.0.0.0/8\n*.net:80", "file");
  ASSERT_TRUE(matchers) << matchers.error().text;
  EXPECT_EQ(*matchers, (std::vector<std::string>{".example.org", "10.0.0.0/8", "*.net:80"}));
}

TEST(ParseMatchers, NamesTheLineOfAMistake) {
  EXPECT_EQ(
      parse_matchers("a\nb c\n", "/etc/list").error().text,
      "/etc/list:2: matcher 'b c': is neither an address, a range nor a pattern with '*' and '?'; write one matcher "
      "a line");
  EXPECT_EQ(parse_matchers("a\n\nb\x01\n", "/etc/list").error().text,
            "/etc/list:3: control character 0x01; a bypass file is plain UTF-8 text with one matcher a line");
}

class BypassFileTest : public testing::Test {
 protected:
  BypassFileTest() {
    std::string pattern = (fs::temp_directory_path() / "gost-bypass-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~BypassFileTest() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "list").string(); }
  /// Replaces the file as careful tools do, so that its inode changes whatever the clock's grain is.
  void put(const std::string& text) const {
    std::ofstream(path() + ".new") << text;
    fs::rename(path() + ".new", path());
  }

  fs::path folder_;
};

TEST_F(BypassFileTest, CountsBesidesTheInlineMatchersAndIsReadAgain) {
  put("a\n");
  auto file = BypassFile::open(path(), {"i"}, {}).value();
  EXPECT_TRUE(contains(*file, "a"));
  EXPECT_TRUE(contains(*file, "i"));
  EXPECT_FALSE(file->reload().value());
  put("b\n");
  EXPECT_TRUE(file->reload().value());
  EXPECT_FALSE(contains(*file, "a"));
  EXPECT_TRUE(contains(*file, "b"));
  EXPECT_TRUE(contains(*file, "i"));
}

TEST_F(BypassFileTest, ABrokenFileKeepsTheOldMatchersAndIsReportedOnce) {
  put("a\n");
  auto file = BypassFile::open(path(), {}, {.whitelist = true}).value();
  EXPECT_TRUE(file->whitelist());
  put("b\n10.0.0.0/99\n");
  auto result = file->reload();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().text.starts_with(path() + ":2: ")) << result.error().text;
  EXPECT_FALSE(file->reload().value());
  EXPECT_FALSE(contains(*file, "a"));
  EXPECT_TRUE(contains(*file, "b"));
}

TEST_F(BypassFileTest, IsRefusedWhereItCannotBeRead) {
  EXPECT_EQ(BypassFile::open(path(), {}, {}).error().text, "bypass file " + path() + ": no such file or directory");
}

}  // namespace
}  // namespace gost
