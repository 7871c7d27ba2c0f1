#include "policy/auther.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

TEST(UserList, AcceptsExactlyTheStoredPair) {
  UserList users({{"alice", "secret"}, {"bob", "hunter2"}});
  EXPECT_TRUE(users.check("alice", "secret"));
  EXPECT_TRUE(users.check("bob", "hunter2"));
  for (auto password : {"", "s", "secre", "secrets", "SECRET", "hunter2", "secretsecret"})
    EXPECT_FALSE(users.check("alice", password)) << password;
  for (auto user : {"", "Alice", "alice ", "carol"}) EXPECT_FALSE(users.check(user, "secret")) << user;
}

TEST(UserList, AnEmptyPasswordIsMatchedByAnEmptyOneOnly) {
  UserList users({{"guest", ""}});
  EXPECT_TRUE(users.check("guest", ""));
  EXPECT_FALSE(users.check("guest", "x"));
  EXPECT_FALSE(users.check("nobody", ""));
}

TEST(UserList, AnUnknownUserIsNotTheOneItIsComparedWith) {
  UserList users({{"alice", "secret"}});
  EXPECT_FALSE(users.check("mallory", "?"));
}

TEST(UserList, EntriesWithoutANameAreLeftOut) {
  UserList users({{"", "x"}, {"", ""}});
  EXPECT_EQ(users.size(), 0U);
  EXPECT_FALSE(users.check("", "x"));
  EXPECT_FALSE(users.check("", ""));
}

TEST(UserList, TheLaterOfTwoCounts) {
  UserList users({{"a", "old"}, {"a", "new"}});
  EXPECT_TRUE(users.check("a", "new"));
  EXPECT_FALSE(users.check("a", "old"));
}

TEST(UserList, AnEmptyOneRefusesEverybody) {
  EXPECT_FALSE(UserList().check("", ""));
  EXPECT_FALSE(UserList().check("a", "b"));
}

TEST(UserList, BytesAreBytes) {
  std::string name("a\0b", 3);
  UserList users({{name, std::string("\0", 1)}});
  EXPECT_TRUE(users.check(name, std::string_view("\0", 1)));
  EXPECT_FALSE(users.check("a", std::string_view("\0", 1)));
  EXPECT_FALSE(users.check(name, ""));
}

RC_GTEST_PROP(UserList, OnlyEqualPasswordsMatch, (const std::string& stored, const std::string& presented)) {
  UserList users({{"u", stored}});
  RC_ASSERT(users.check("u", presented) == (stored == presented));
  RC_ASSERT(users.check("u", stored));
}

TEST(AutherGroup, AcceptsWhatAnyMemberAccepts) {
  auto first = std::make_shared<UserList>(std::vector<User>{{"a", "1"}});
  auto second = std::make_shared<UserList>(std::vector<User>{{"a", "2"}, {"b", "3"}});
  AutherGroup group({first, second});
  EXPECT_TRUE(group.check("a", "1"));
  EXPECT_TRUE(group.check("a", "2"));
  EXPECT_TRUE(group.check("b", "3"));
  EXPECT_FALSE(group.check("b", "1"));
  EXPECT_FALSE(AutherGroup({}).check("a", "1"));
}

}  // namespace
}  // namespace gost
