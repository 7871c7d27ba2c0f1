#include "component/refusal.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

TEST(Refusal, Socks5RepliesTellTheCause) {
  EXPECT_EQ(refusal_for(Cause::other).socks5, 1);
  EXPECT_EQ(refusal_for(Cause::denied).socks5, 2);
  EXPECT_EQ(refusal_for(Cause::network_unreachable).socks5, 3);
  EXPECT_EQ(refusal_for(Cause::host_unreachable).socks5, 4);
  EXPECT_EQ(refusal_for(Cause::refused).socks5, 5);
  EXPECT_EQ(refusal_for(Cause::timeout).socks5, 6);
  EXPECT_EQ(refusal_for(Cause::command).socks5, 7);
  EXPECT_EQ(refusal_for(Cause::address_type).socks5, 8);
}

TEST(Refusal, Socks4KnowsRulesUsersAndEverythingElse) {
  EXPECT_EQ(refusal_for(Cause::denied).socks4, 0x5c);
  EXPECT_EQ(refusal_for(Cause::auth).socks4, 0x5d);
  for (Cause cause : {Cause::other, Cause::refused, Cause::timeout, Cause::host_unreachable, Cause::command})
    EXPECT_EQ(refusal_for(cause).socks4, 0x5b);
}

}  // namespace
}  // namespace gost
