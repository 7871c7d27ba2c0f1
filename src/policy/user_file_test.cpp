#include "policy/user_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace gost {
namespace {

namespace fs = std::filesystem;

std::vector<std::pair<std::string, std::string>> parsed(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto& user : parse_users(text, "users").value()) pairs.emplace_back(user.name, user.password);
  return pairs;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(ParseUsers, OneUserALine) {
  EXPECT_EQ(parsed("alice secret\nbob\thunter2"), (Pairs{{"alice", "secret"}, {"bob", "hunter2"}}));
  EXPECT_EQ(parsed(""), Pairs{});
  EXPECT_EQ(parsed("\n\n"), Pairs{});
}

TEST(ParseUsers, TheFirstBlankOrTabSeparates) {
  EXPECT_EQ(parsed("a b c\td\n"), (Pairs{{"a", "b c\td"}}));
  EXPECT_EQ(parsed("a \t  b  \n"), (Pairs{{"a", "b"}}));
  EXPECT_EQ(parsed("  a b\n"), (Pairs{{"a", "b"}}));
}

TEST(ParseUsers, CommentsLoneWordsAndLineEnds) {
  EXPECT_EQ(parsed("# a b\n  # c d\ne#f #g\n"), (Pairs{{"e#f", "#g"}}));
  EXPECT_EQ(parsed("guest\nguest2 \n"), (Pairs{{"guest", ""}, {"guest2", ""}}));
  EXPECT_EQ(parsed("a b\r\nc\r\n"), (Pairs{{"a", "b"}, {"c", ""}}));
  EXPECT_EQ(parsed("\xef\xbb\xbf"
                   "a b\n"),
            (Pairs{{"a", "b"}}));
}

TEST(ParseUsers, ABinaryFileIsRefusedWithItsLine) {
  auto users = parse_users(std::string_view("ok ok\n\na\0 b\0\n", 12), "/etc/users");
  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().text,
            "/etc/users:3: control character 0x00; a users file is plain UTF-8 text with one 'user password' a line");
}

RC_GTEST_PROP(ParseUsers, NeverGivesANamelessUserOrABlankInAName, (const std::string& text)) {
  auto users = parse_users(text, "users");
  if (!users) return;
  for (const User& user : *users) {
    RC_ASSERT(!user.name.empty());
    RC_ASSERT(user.name.find_first_of(" \t\r\n") == std::string::npos);
    RC_ASSERT(user.password.find('\n') == std::string::npos);
  }
}

class UserFileTest : public testing::Test {
 protected:
  UserFileTest() {
    std::string pattern = (fs::temp_directory_path() / "gost-users-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~UserFileTest() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "users").string(); }
  /// Replaces the file as careful tools do, so that its inode changes whatever the clock's grain is.
  void put(const std::string& text) const {
    std::ofstream(path() + ".new") << text;
    fs::rename(path() + ".new", path());
  }

  fs::path folder_;
};

TEST_F(UserFileTest, ReadsAgainOnlyAfterAChange) {
  put("a 1\n");
  auto file = UserFile::open(path()).value();
  EXPECT_TRUE(file->check("a", "1"));
  EXPECT_FALSE(file->reload().value());
  put("a 2\nb 3\n");
  EXPECT_TRUE(file->check("a", "1"));
  EXPECT_TRUE(file->reload().value());
  EXPECT_FALSE(file->check("a", "1"));
  EXPECT_TRUE(file->check("a", "2"));
  EXPECT_TRUE(file->check("b", "3"));
  EXPECT_EQ(file->size(), 2U);
}

TEST_F(UserFileTest, SeesAChangeInPlace) {
  put("a 1\n");
  auto file = UserFile::open(path()).value();
  std::ofstream(path(), std::ios::app) << "b 2\n";
  EXPECT_TRUE(file->reload().value());
  EXPECT_TRUE(file->check("b", "2"));
}

TEST_F(UserFileTest, ABrokenFileKeepsTheOldUsersAndIsReportedOnce) {
  put("a 1\n");
  auto file = UserFile::open(path()).value();
  put("a 2\nb\x01 3\n");
  auto result = file->reload();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().text.starts_with(path() + ":2: ")) << result.error().text;
  EXPECT_FALSE(file->reload().value());
  EXPECT_TRUE(file->check("a", "1"));
  put("a 2\n");
  EXPECT_TRUE(file->reload().value());
  EXPECT_TRUE(file->check("a", "2"));
}

TEST_F(UserFileTest, AVanishedFileKeepsTheOldUsersAndIsReportedOnce) {
  put("a 1\n");
  auto file = UserFile::open(path()).value();
  fs::remove(path());
  auto result = file->reload();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "users file " + path() + ": no such file or directory");
  EXPECT_FALSE(file->reload().value());
  EXPECT_TRUE(file->check("a", "1"));
  put("a 2\n");
  EXPECT_TRUE(file->reload().value());
  fs::remove(path());
  EXPECT_FALSE(file->reload());
}

TEST_F(UserFileTest, InlineUsersAreAcceptedBesidesAndTheFileCounts) {
  put("a file\n");
  auto file = UserFile::open(path(), {{"a", "inline"}, {"c", "3"}}).value();
  EXPECT_TRUE(file->check("a", "file"));
  EXPECT_FALSE(file->check("a", "inline"));
  EXPECT_TRUE(file->check("c", "3"));
  put("b 2\n");
  EXPECT_TRUE(file->reload().value());
  EXPECT_TRUE(file->check("a", "inline"));
}

TEST_F(UserFileTest, RefusesWhatIsNoUsersFile) {
  EXPECT_EQ(UserFile::open(path()).error().text, "users file " + path() + ": no such file or directory");
  EXPECT_EQ(UserFile::open(folder_.string()).error().text,
            "users file " + folder_.string() + ": is not a regular file");
  std::ofstream(path()) << std::string(kMaxUserFile, '#') + "x";
  EXPECT_EQ(UserFile::open(path()).error().text,
            "users file " + path() + ": is larger than 16 MiB; split it over several authers");
  fs::resize_file(path(), kMaxUserFile);
  EXPECT_TRUE(UserFile::open(path()));
}

TEST_F(UserFileTest, ReadersAreNotDisturbedByReloads) {
  put("a 1\n");
  auto file = UserFile::open(path()).value();
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop)
        if (!file->check("a", "1")) ++refused;
    });
  for (int i = 0; i < 200; ++i) {
    put("a 1\nb" + std::to_string(i) + " 2\n");
    EXPECT_TRUE(file->reload().value());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(refused, 0);
  EXPECT_TRUE(file->check("b199", "2"));
}

}  // namespace
}  // namespace gost
