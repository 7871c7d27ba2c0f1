#include "policy/name_server.hpp"

#include "policy/testing/fake_name_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::FakeNameServer;
using testing::Message;

std::string shown(std::string_view text) {
  auto address = parse_name_server(text);
  return address ? address->text : address.error().text;
}

TEST(ParseNameServer, TakesGostsForms) {
  EXPECT_EQ(shown("1.1.1.1"), "udp://1.1.1.1:53");
  EXPECT_EQ(shown(" udp://1.1.1.1 "), "udp://1.1.1.1:53");
  EXPECT_EQ(shown("1.1.1.1:5353"), "udp://1.1.1.1:5353");
  EXPECT_EQ(shown("tcp://[2001:db8::1]:54"), "tcp://[2001:db8::1]:54");
  EXPECT_EQ(shown("2001:db8::1"), "udp://[2001:db8::1]:53");
  EXPECT_EQ(shown("TCP://[2001:db8::1]"), "tcp://[2001:db8::1]:53");
  EXPECT_EQ(shown("dns.example"), "udp://dns.example:53");
}

TEST(ParseNameServer, SaysWhatItCannotUse) {
  EXPECT_EQ(shown("tls://1.1.1.1:853"), "DNS over TLS is not available in this build");
  EXPECT_EQ(shown("dot://1.1.1.1"), "DNS over TLS is not available in this build");
  EXPECT_EQ(shown("https://1.1.1.1/dns-query"), "DNS over HTTPS is not available in this build");
  EXPECT_EQ(shown("quic://1.1.1.1"),
            "name server 'quic://1.1.1.1': unknown scheme; write udp://HOST:PORT or tcp://HOST:PORT");
  for (auto text : {"", "udp://", ":53", "1.1.1.1:x", "udp://1.1.1.1/x", "a:b:c:53x"})
    EXPECT_FALSE(parse_name_server(text)) << text;
}

class AskNameServer : public ::testing::Test {
 protected:
  AskNameServer() { server.zone["a.b"] = {IpAddress::v4({1, 2, 3, 4})}; }

  Result<DnsAnswer> ask(const NameServerOptions& options, std::string name = "a.b") {
    return io.loop.run(ask_name_server(io, options, std::move(name), Family::v4));
  }

  IoContext io{Loop::Time::simulated};
  FakeNameServer server;
};

TEST_F(AskNameServer, AnswersOverDatagrams) {
  auto answer = ask(server.options());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->addresses.front().to_string(), "1.2.3.4");
  EXPECT_EQ(server.asked, std::vector<std::string>{"A a.b"});
}

TEST_F(AskNameServer, AnswersOverStreams) {
  auto answer = ask(server.options("tcp://192.0.2.1"));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(server.asked, std::vector<std::string>{"tcp A a.b"});
}

TEST_F(AskNameServer, AsksAgainOverTcpWhatWasTruncated) {
  server.truncates = true;
  auto answer = ask(server.options());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->addresses.size(), 1U);
  EXPECT_EQ(server.asked, (std::vector<std::string>{"A a.b", "tcp A a.b"}));
}

TEST_F(AskNameServer, RepeatsWhatWasLostOnce) {
  server.loses = 1;
  EXPECT_TRUE(ask(server.options()));
  server.loses = 2;
  TimePoint start = io.loop.now();
  auto answer = ask(server.options());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().cause, Cause::timeout);
  EXPECT_EQ(answer.error().text, "lookup a.b on udp://192.0.2.1:53: i/o timeout");
  EXPECT_EQ(io.loop.now() - start, 5s);
}

TEST_F(AskNameServer, WaitsOnlyAsLongAsItShall) {
  server.deaf = true;
  for (auto address : {"udp://192.0.2.1", "tcp://192.0.2.1"}) {
    NameServerOptions options = server.options(address);
    options.timeout = 2s;
    TimePoint start = io.loop.now();
    auto answer = ask(options);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().cause, Cause::timeout) << answer.error().text;
    EXPECT_EQ(io.loop.now() - start, 2s);
  }
}

TEST_F(AskNameServer, FalseAnswersAreNotTaken) {
  Message other = encode_dns_query({"other.name", DnsType::a, 7, std::nullopt}).value();
  server.before = {Message{1, 2, 3}, testing::reply_to(other, {0, {IpAddress::v4({6, 6, 6, 6})}, 1, false}),
                   Message()};
  auto answer = ask(server.options());
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->addresses.front().to_string(), "1.2.3.4");
}

TEST_F(AskNameServer, IdsAreNotAlwaysTheSame) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ask(server.options()));
  auto same = [&](const Message& it) { return it[0] == server.queries[0][0] && it[1] == server.queries[0][1]; };
  EXPECT_FALSE(std::ranges::all_of(server.queries, same));
}

TEST_F(AskNameServer, TellsAMissingNameFromAServerThatFails) {
  EXPECT_EQ(ask(server.options(), "no.such")->status, DnsAnswer::Status::no_addresses);
  server.code = 2;
  auto answer = ask(server.options(), "no.such");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text, "lookup no.such on udp://192.0.2.1:53: server failure");
}

}  // namespace
}  // namespace gost
