#include "policy/name_servers.hpp"

#include "policy/testing/fake_name_server.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::FakeNameServer;
using Asked = std::vector<std::string>;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::string text_of(const Result<std::vector<IpAddress>>& found) {
  if (!found) return found.error().text;
  std::string text;
  for (const IpAddress& address : *found) text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

class NameServersTest : public ::testing::Test {
 protected:
  NameServersTest() {
    first.zone["a.b"] = {ip("1.1.1.1"), ip("2001:db8::1")};
    first.zone["six.b"] = {ip("2001:db8::6")};
    second.zone["only.second"] = {ip("2.2.2.2")};
  }

  NameServers servers(std::vector<NameServerOptions> list) {
    return NameServers({.name = "r", .servers = std::move(list)});
  }
  std::string lookup(const NameServers& servers, std::string host) {
    return text_of(io.loop.run(servers.lookup(io, std::move(host))));
  }
  Task<> wait(Duration duration) { co_await sleep_for(duration); }
  void pass(Duration duration) { io.loop.run(wait(duration)); }

  IoContext io{Loop::Time::simulated};
  FakeNameServer first;
  FakeNameServer second;
};

TEST_F(NameServersTest, PrefersIpv4AndFallsBackToTheOtherFamily) {
  NameServers resolver({.name = "r", .servers = {first.options()}});
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  EXPECT_EQ(lookup(resolver, "six.b"), "2001:db8::6");
  EXPECT_EQ(first.asked, (Asked{"A a.b", "A six.b", "AAAA six.b"}));
}

TEST_F(NameServersTest, PreferAndOnlyAreHonoured) {
  NameServerOptions six = first.options();
  six.prefer = Family::v6;
  NameServers prefers({.name = "r", .servers = {six}});
  EXPECT_EQ(lookup(prefers, "a.b"), "2001:db8::1");
  NameServerOptions four = first.options();
  four.only = true;
  NameServers only({.name = "r", .servers = {four}});
  EXPECT_EQ(lookup(only, "six.b"), "resolver: domain six.b does not exist");
}

TEST_F(NameServersTest, TheNextServerIsAskedUntilOneGivesAnAddress) {
  NameServers resolver({.name = "r", .servers = {first.options(), second.options()}});
  EXPECT_EQ(lookup(resolver, "only.second"), "2.2.2.2");
  first.deaf = true;
  EXPECT_EQ(lookup(resolver, "x.only.second"), "resolver: lookup x.only.second on udp://192.0.2.1:53: i/o timeout");
  second.zone["y"] = {ip("3.3.3.3")};
  EXPECT_EQ(lookup(resolver, "y"), "3.3.3.3");
}

TEST_F(NameServersTest, AMissingNameIsAMissingHost) {
  NameServers resolver({.name = "r", .servers = {first.options()}});
  auto found = io.loop.run(resolver.lookup(io, "no.such"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().cause, Cause::host_unreachable);
  EXPECT_EQ(found.error().text, "resolver: domain no.such does not exist");
}

TEST_F(NameServersTest, LocalhostIsNeverAskedFor) {
  NameServers resolver({.name = "r", .servers = {first.options()}});
  EXPECT_EQ(lookup(resolver, "LOCALHOST."), "127.0.0.1 ::1");
  EXPECT_EQ(lookup(resolver, "a.localhost"), "127.0.0.1 ::1");
  EXPECT_EQ(first.asked, Asked{});
}

TEST_F(NameServersTest, AnswersAreKeptAsLongAsTheySay) {
  first.ttl = 100;
  NameServers resolver({.name = "r", .servers = {first.options()}});
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  pass(99s);
  EXPECT_EQ(lookup(resolver, "A.B."), "1.1.1.1");
  EXPECT_EQ(first.asked.size(), 1U);
  pass(2s);
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  EXPECT_EQ(first.asked.size(), 2U);
}

TEST_F(NameServersTest, ThatThereIsNoAddressIsKeptForAMinute) {
  NameServerOptions options = first.options();
  options.only = true;
  NameServers resolver({.name = "r", .servers = {options}});
  lookup(resolver, "no.such");
  pass(59s);
  lookup(resolver, "no.such");
  EXPECT_EQ(first.asked.size(), 1U);
  pass(2s);
  lookup(resolver, "no.such");
  EXPECT_EQ(first.asked.size(), 2U);
}

TEST_F(NameServersTest, AConfiguredTtlCounts) {
  NameServerOptions fixed = first.options();
  fixed.ttl = 10s;
  NameServers ten({.name = "r", .servers = {fixed}});
  lookup(ten, "a.b");
  pass(11s);
  lookup(ten, "a.b");
  EXPECT_EQ(first.asked.size(), 2U);
  NameServerOptions none = first.options();
  none.ttl = -1s;
  NameServers never({.name = "r", .servers = {none}});
  lookup(never, "a.b");
  lookup(never, "a.b");
  EXPECT_EQ(first.asked.size(), 4U);
}

TEST_F(NameServersTest, FailuresAreNotKept) {
  first.code = 2;
  NameServers resolver({.name = "r", .servers = {first.options()}});
  EXPECT_EQ(lookup(resolver, "later"), "resolver: lookup later on udp://192.0.2.1:53: server failure");
  first.zone["later"] = {ip("9.9.9.9")};
  EXPECT_EQ(lookup(resolver, "later"), "9.9.9.9");
}

TEST_F(NameServersTest, AnExpiredAnswerServesWhileItIsRenewed) {
  NameServerOptions options = first.options();
  options.async = true;
  options.ttl = 10s;
  NameServers resolver({.name = "r", .servers = {options}});
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  first.zone["a.b"] = {ip("7.7.7.7")};
  pass(11s);
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  pass(1ms);
  EXPECT_EQ(lookup(resolver, "a.b"), "7.7.7.7");
  EXPECT_EQ(first.asked.size(), 2U);
  io.loop.run(resolver.close(io));
}

TEST_F(NameServersTest, ARenewalThatHangsEndsWithTheLoop) {
  NameServerOptions options = first.options();
  options.async = true;
  options.ttl = 10s;
  NameServers resolver({.name = "r", .servers = {options}});
  lookup(resolver, "a.b");
  pass(11s);
  first.deaf = true;
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  EXPECT_EQ(lookup(resolver, "a.b"), "1.1.1.1");
  EXPECT_EQ(first.asked.size(), 2U);
  io.loop.run(resolver.close(io));
  io.loop.run(resolver.close(io));
}

Task<> look_up_into(const NameServers& resolver, IoContext& io, std::string host, std::string& into) {
  into = text_of(co_await resolver.lookup(io, std::move(host)));
}

Task<> look_up_for(Duration limit, const NameServers& resolver, IoContext& io, std::string host, std::string& into) {
  into = text_of(co_await with_deadline(limit, resolver.lookup(io, std::move(host))));
}

Task<> ask_together(const NameServers& resolver, IoContext& io, std::vector<std::string>& results) {
  TaskGroup group(co_await this_scope());
  for (std::string& result : results) group.spawn(look_up_into(resolver, io, "a.b", result));
  co_await group.join();
}

TEST_F(NameServersTest, EqualQuestionsAreAskedOnce) {
  first.loses = 1;  // so that all of them wait
  NameServers resolver({.name = "r", .servers = {first.options()}});
  std::vector<std::string> results(10);
  io.loop.run(ask_together(resolver, io, results));
  for (const std::string& result : results) EXPECT_EQ(result, "1.1.1.1");
  EXPECT_EQ(first.asked.size(), 2U);  // one and its repetition
}

Task<> stop_the_one_who_asks(const NameServers& resolver, IoContext& io, std::string& stopped, std::string& other) {
  TaskGroup group(co_await this_scope());
  group.spawn(look_up_for(1s, resolver, io, "a.b", stopped));
  group.spawn(look_up_into(resolver, io, "a.b", other));
  co_await group.join();
}

TEST_F(NameServersTest, WhoeverIsStoppedLeavesTheQuestionToTheNext) {
  first.loses = 1;
  NameServers resolver({.name = "r", .servers = {first.options()}});
  std::string stopped;
  std::string other;
  io.loop.run(stop_the_one_who_asks(resolver, io, stopped, other));
  EXPECT_EQ(stopped, "resolver: lookup a.b on udp://192.0.2.1:53: i/o timeout");
  EXPECT_EQ(other, "1.1.1.1");
}

TEST_F(NameServersTest, TooManyQuestionsAtOnceAreRefused) {
  first.loses = 1;
  NameServers resolver({.name = "r", .servers = {first.options()}, .max_pending = 0});
  EXPECT_EQ(lookup(resolver, "a.b"), "resolver: lookup a.b: too many lookups under way");
}

RC_GTEST_PROP(NameServersProperty, NobodyWaitsForEverAndAllGetTheSame, ()) {
  IoContext io(Loop::Time::simulated);
  FakeNameServer server;
  server.zone["a.b"] = {ip("1.1.1.1")};
  server.loses = *rc::gen::inRange(0, 3);
  bool nothing_lost = server.loses == 0;
  server.ttl = *rc::gen::inRange(0U, 3U);
  NameServers resolver({.name = "r", .servers = {server.options()}});
  auto limits = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 8));
  std::vector<std::string> results(limits.size());
  struct Run {
    static Task<> all(const NameServers& servers, IoContext& context, const std::vector<int>& limits_s,
                      std::vector<std::string>& into) {
      TaskGroup group(co_await this_scope());
      for (std::size_t i = 0; i < limits_s.size(); ++i)
        group.spawn(look_up_for(std::chrono::seconds(limits_s[i]), servers, context, "a.b", into[i]));
      co_await group.join();
    }
  };
  io.loop.run(Run::all(resolver, io, limits, results));
  for (const std::string& result : results) RC_ASSERT(result == "1.1.1.1" || result.ends_with("i/o timeout"));
  if (nothing_lost)
    for (const std::string& result : results) RC_ASSERT(result == "1.1.1.1");
}

}  // namespace
}  // namespace gost
