#include "observe/connection_record.hpp"

#include "observe/address_text.hpp"
#include "observe/log_capture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

const TimePoint kStart{100s};
const SocketAddress kClient = address("127.0.0.1", 54340);
const SocketAddress kServer = address("127.0.0.1", 11080);

class ConnectionRecordTest : public testing::Test {
 protected:
  ConnectionRecord record(Level level) {
    loggers_ = ConnectionLoggers(Logger(sink_, level), "service-0", "tcp", "socks5");
    return {loggers_, "tcp", kClient, kServer, SidSource({1, 2, 3}, 4, 5).next({}), kStart};
  }
  std::vector<json> lines() {
    std::vector<json> parsed;
    for (const auto& line : sink_->take()) {
      parsed.push_back(json::parse(line));
      parsed.back().erase("time");
    }
    return parsed;
  }

  std::shared_ptr<LogCapture> sink_ = std::make_shared<LogCapture>();
  ConnectionLoggers loggers_;
};

TEST_F(ConnectionRecordTest, AConnectLooksAsInGost) {
  auto connection = record(Level::info);
  connection.accepted();
  connection.set_user("u");
  connection.set_request("connect", {"127.0.0.1", 18000});
  connection.requested();
  connection.set_route(address("127.0.0.1", 33512), address("127.0.0.1", 18000));
  connection.relay_started(kStart + 1ms);
  connection.relay_ended(kStart + 1ms + 3147003ns);
  connection.finished(99, 508, kStart + 4916960ns);

  json fields = {{"level", "info"},
                 {"listener", "tcp"},
                 {"handler", "socks5"},
                 {"kind", "handler"},
                 {"service", "service-0"},
                 {"network", "tcp"},
                 {"remote", "127.0.0.1:54340"},
                 {"local", "127.0.0.1:11080"},
                 {"client", "127.0.0.1:54340"},
                 {"sid", connection.sid().view()}};
  auto with = [&](const json& more) {
    fields.update(more);
    return fields;
  };
  auto got = lines();
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0], with({{"msg", "127.0.0.1:54340 <> 127.0.0.1:11080"}}));
  EXPECT_EQ(got[1], with({{"msg", "127.0.0.1:54340 <-> 127.0.0.1:18000"},
                          {"user", "u"},
                          {"clientID", "u"},
                          {"dst", "127.0.0.1:18000"},
                          {"cmd", "connect"},
                          {"host", "127.0.0.1:18000"},
                          {"src", "127.0.0.1:33512"}}));
  EXPECT_EQ(got[2], with({{"msg", "127.0.0.1:54340 >-< 127.0.0.1:18000"}, {"duration", 3147003}}));
  EXPECT_EQ(got[3], with({{"msg", "127.0.0.1:54340 >< 127.0.0.1:11080"},
                          {"inputBytes", 99},
                          {"outputBytes", 508},
                          {"duration", 4916960}}));
}

TEST_F(ConnectionRecordTest, ANameStaysInHostAndItsAddressIsInDst) {
  auto connection = record(Level::debug);
  connection.set_request("connect", {"example.com", 443});
  connection.requested();
  connection.set_route(address("10.0.0.1", 4000), address("2001:db8::1", 443));
  connection.relay_started(kStart);
  auto got = lines();
  EXPECT_EQ(got.at(0)["msg"], "127.0.0.1:54340 >> example.com:443");
  EXPECT_EQ(got.at(0)["level"], "debug");
  EXPECT_EQ(got.at(0)["dst"], "example.com:443");
  EXPECT_EQ(got.at(1)["host"], "example.com:443");
  EXPECT_EQ(got.at(1)["dst"], "[2001:db8::1]:443");
}

TEST_F(ConnectionRecordTest, AFailureSaysWhoWantedWhatAndWhyNot) {
  auto connection = record(Level::warn);
  connection.accepted();
  connection.set_client(address("192.0.2.7", 1234));
  connection.set_user("mallory");
  connection.set_request("connect", {"10.0.0.1", 1});
  connection.failed({Cause::refused, "dial tcp 10.0.0.1:1: connect: connection refused"});
  connection.finished(9, 10, kStart + 1s);
  auto got = lines();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0]["kind"], "handler");
  EXPECT_EQ(got[0]["level"], "error");
  EXPECT_EQ(got[0]["msg"], "dial tcp 10.0.0.1:1: connect: connection refused");
  EXPECT_EQ(got[0]["client"], "192.0.2.7:1234");
  EXPECT_EQ(got[0]["remote"], "127.0.0.1:54340");
  EXPECT_EQ(got[0]["user"], "mallory");
  EXPECT_EQ(got[0]["host"], "10.0.0.1:1");
  EXPECT_EQ(got[0]["cmd"], "connect");
  EXPECT_EQ(got[1]["kind"], "service");
  EXPECT_EQ(got[1]["msg"], got[0]["msg"]);
  EXPECT_EQ(got[1]["sid"], got[0]["sid"]);
}

TEST_F(ConnectionRecordTest, HarmlessEndsAreDebugButTheLastLineNamesThem) {
  for (Cause cause : {Cause::eof, Cause::canceled}) {
    auto connection = record(Level::info);
    connection.failed({cause, "unexpected EOF"});
    connection.finished(0, 0, kStart);
    auto got = lines();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0]["level"], "info");
    EXPECT_EQ(got[0]["err"], "unexpected EOF");
  }
}

TEST_F(ConnectionRecordTest, WhatARuleForbidsIsAnError) {
  auto connection = record(Level::warn);
  connection.failed({Cause::denied, "socks5: BIND is disabled"});
  auto got = lines();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0]["level"], "error");
  EXPECT_EQ(got[0]["msg"], "socks5: BIND is disabled");
}

TEST_F(ConnectionRecordTest, ABrokenRelaySaysWhy) {
  auto connection = record(Level::info);
  connection.set_request("connect", {"10.0.0.1", 1});
  connection.relay_started(kStart);
  connection.relay_ended(kStart + 1s, Error{Cause::reset, "read tcp: connection reset by peer"});
  auto got = lines();
  EXPECT_EQ(got.at(1)["err"], "read tcp: connection reset by peer");
  EXPECT_EQ(got.at(1)["duration"], 1'000'000'000);
}

TEST_F(ConnectionRecordTest, OnlyASessionWithDatagramsCountsThem) {
  auto connection = record(Level::info);
  connection.finished(1, 2, kStart);
  EXPECT_FALSE(lines().at(0).contains("inputDatagrams"));
  connection.set_datagrams({.input = 3, .output = 4, .dropped = 5});
  connection.finished(1, 2, kStart);
  auto line = lines().at(0);
  EXPECT_EQ(line["inputBytes"], 1);
  EXPECT_EQ(line["outputBytes"], 2);
  EXPECT_EQ(line["inputDatagrams"], 3);
  EXPECT_EQ(line["outputDatagrams"], 4);
  EXPECT_EQ(line["droppedDatagrams"], 5);
}

TEST_F(ConnectionRecordTest, ANoteCarriesWhatIsKnownOfTheConnection) {
  auto connection = record(Level::warn);
  connection.set_request("udp", {"0.0.0.0", 0});
  connection.note(Level::warn, "too long");
  connection.note(Level::info, "not of interest");
  auto got = lines();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0]["msg"], "too long");
  EXPECT_EQ(got[0]["level"], "warn");
  EXPECT_EQ(got[0]["cmd"], "udp");
  EXPECT_EQ(got[0]["sid"], connection.sid().view());
}

TEST_F(ConnectionRecordTest, AnErrorWithoutTextIsNamedByItsCause) {
  auto connection = record(Level::error);
  connection.failed({Cause::timeout, ""});
  EXPECT_EQ(lines().at(0)["msg"], "timeout");
}

TEST_F(ConnectionRecordTest, HostileNamesStayInTheirFields) {
  auto connection = record(Level::info);
  std::string evil = "a\",\"level\":\"fatal\n{\"msg\":\"x\"}\x1b[2J\xff";
  connection.set_user(evil);
  connection.set_request("connect", {"h\"\n\xc3", 80});
  connection.relay_started(kStart);
  auto raw = sink_->take();
  ASSERT_EQ(raw.size(), 1U);
  EXPECT_EQ(raw[0].find('\n'), raw[0].size() - 1);
  EXPECT_EQ(raw[0].find('\x1b'), std::string::npos);
  auto line = json::parse(raw[0]);
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["user"], "a\",\"level\":\"fatal\n{\"msg\":\"x\"}\x1b[2J\uFFFD");
  EXPECT_EQ(line["host"], "h\"\n\uFFFD:80");
}

TEST_F(ConnectionRecordTest, TheTextFormatCannotBeForged) {
  loggers_ = ConnectionLoggers(Logger(sink_, Level::info, {.format = LogFormat::text}), "s", "tcp", "socks5");
  ConnectionRecord connection(loggers_, "tcp", kClient, kServer, Sid(), kStart);
  connection.set_user("x\" level=fatal msg=\"owned\ntime=0");
  connection.accepted();
  auto line = sink_->take().at(0);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NE(line.find(R"( user="x\" level=fatal msg=\"owned\ntime=0" )"), std::string::npos) << line;
}

RC_GTEST_PROP(AddressText, IsToStringInPlace, (bool four, std::uint16_t port)) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  auto ip = four ? IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::v6(bytes);
  SocketAddress socket(ip, port);
  RC_ASSERT(AddressText(socket).view() == socket.to_string());
}

}  // namespace
}  // namespace gost
