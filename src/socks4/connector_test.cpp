#include "socks4/connector.hpp"

#include "component/testing/scripted_proxy.hpp"

namespace gost::socks4 {
namespace {

using namespace std::chrono_literals;
using testing::ScriptedProxy;
using Connected = Result<std::unique_ptr<Stream>>;

const std::string kByName = "04015a8f00000001006c6f63616c686f737400";
const std::string kGranted = "005a000000000000";
const Endpoint kTarget{"localhost", 0x5a8f};

class Socks4Connector : public ::testing::Test {
 protected:
  Connected connect(ScriptedProxy& proxy, const ConnectorOptions& options = {}, Endpoint target = kTarget) {
    auto connector = make_connector(options).value();
    TimePoint start = io_.loop.now();
    auto connected = io_.loop.run(proxy.serve(connector->connect(io_, proxy, std::move(target))));
    took_ = io_.loop.now() - start;
    return connected;
  }
  /// What the proxy is asked for `target`.
  std::string asked(const ConnectorOptions& options, Endpoint target) {
    ScriptedProxy proxy{{{std::string(600, '0'), ""}}};
    ConnectorOptions impatient = options;
    impatient.timeout = 1s;
    std::ignore = connect(proxy, impatient, std::move(target));
    return proxy.received.empty() ? "nothing" : proxy.received[0];
  }
  Error refused(const std::string& reply) {
    ScriptedProxy proxy{{{kByName, reply}}};
    auto connected = connect(proxy);
    EXPECT_FALSE(connected);
    admissions_ = proxy.admissions;
    return connected ? Error{} : connected.error();
  }

  static Task<Result<std::vector<IpAddress>>> look_up_here(IoContext&, std::string host, Family family) {
    if (host != "localhost" || family != Family::v4) co_return fail(Cause::host_unreachable, "lookup: no such host");
    co_return std::vector{IpAddress::v4({127, 0, 0, 1})};
  }

  IoContext io_{Loop::Time::simulated};
  Duration took_{};
  int admissions_ = 0;
};

TEST_F(Socks4Connector, AsksInTheFormOf4aForEveryHost) {
  EXPECT_EQ(asked({}, kTarget), kByName);
  EXPECT_EQ(asked({}, {"127.0.0.1", 0x5a8f}), "04015a8f00000001003132372e302e302e3100");
  EXPECT_EQ(asked({}, {"::1", 0x5a8f}), "04015a8f00000001003a3a3100");
  EXPECT_EQ(asked({.user = "bob"}, {"h", 80}), "0401005000000001626f62006800");
}

TEST_F(Socks4Connector, WithDisable4aLooksNamesUpHere) {
  ConnectorOptions options{.disable4a = true, .lookup = &look_up_here};
  EXPECT_EQ(asked(options, kTarget), "04015a8f7f00000100");
  EXPECT_EQ(asked(options, {"1.2.3.4", 80}), "040100500102030400");
  EXPECT_EQ(asked(options, {"", 80}), "040100500000000000");
  EXPECT_EQ(asked(options, {"nowhere", 80}), "nothing");
  ScriptedProxy proxy;
  EXPECT_EQ(connect(proxy, options, {"::1", 80}).error().cause, Cause::address_type);
  EXPECT_EQ(connect(proxy, options, {"nowhere", 80}).error().text, "socks4: lookup: no such host");
}

TEST_F(Socks4Connector, WhatFollowsTheGrantBelongsToTheTarget) {
  for (const char* reply : {"005a000000000000", "005a5a8f7f000001"}) {
    ScriptedProxy proxy{{{kByName, std::string(reply) + "62616e6e6572"}}};
    auto stream = connect(proxy);
    ASSERT_TRUE(stream);
    EXPECT_EQ(testing::read_now(**stream), "banner");
    EXPECT_EQ(proxy.admissions, 1);
  }
}

TEST_F(Socks4Connector, RefusalsSayWhatTheProxySaid) {
  EXPECT_EQ(refused("005b000000000000").cause, Cause::other);
  EXPECT_EQ(refused("005b000000000000").text, "socks4: the proxy cannot reach the target (reply 5b)");
  EXPECT_EQ(refused("005c000000000000").cause, Cause::denied);
  EXPECT_EQ(admissions_, 1);
  EXPECT_EQ(refused("005d000000000000").cause, Cause::auth);
  EXPECT_EQ(admissions_, 0) << "who is not let in has to do with the proxy, not with the target";
}

TEST_F(Socks4Connector, BadRepliesAreErrors) {
  EXPECT_EQ(refused("045a000000000000").text, "socks4: reply: bad version 4 of a reply, expected 0");
  EXPECT_EQ(refused("0059000000000000").cause, Cause::protocol);
  ScriptedProxy proxy{{{kByName, "005a00"}}};
  proxy.hangs_up = true;
  EXPECT_EQ(connect(proxy).error().text, "socks4: reply: unexpected EOF");
}

TEST_F(Socks4Connector, WaitsAsLongAsItIsToldTo) {
  for (auto [timeout, expected] : {std::pair{15s, 15s}, {2s, 2s}, {0s, 15s}}) {
    ScriptedProxy proxy{{{kByName, "005a"}}};
    auto connected = connect(proxy, {.timeout = timeout});
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().cause, Cause::timeout);
    EXPECT_EQ(took_, expected);
  }
}

TEST_F(Socks4Connector, ANegativeTimeoutIsNone) {
  ScriptedProxy proxy{{{kByName, "005a"}}};
  auto connector = make_connector({.timeout = -1s}).value();
  auto patient = [](const Connector& it, IoContext& io, ScriptedProxy& to) -> Task<Connected> {
    co_return co_await with_deadline(std::chrono::hours(3), it.connect(io, to, kTarget));
  };
  TimePoint start = io_.loop.now();
  EXPECT_FALSE(io_.loop.run(proxy.serve(patient(*connector, io_, proxy))));
  EXPECT_EQ(io_.loop.now() - start, std::chrono::hours(3));
}

TEST_F(Socks4Connector, HostsAndUsersThatDoNotFitAreRefusedBeforeAnythingIsOpened) {
  ScriptedProxy proxy{ScriptedProxy::Script{}};
  EXPECT_EQ(connect(proxy, {}, {std::string(256, 'h'), 80}).error().cause, Cause::invalid);
  EXPECT_TRUE(proxy.streams.empty());
  EXPECT_FALSE(make_connector({.user = std::string(256, 'u')}));
  EXPECT_FALSE(make_connector({.user = std::string("a\0b", 3)}));
}

TEST_F(Socks4Connector, AProxyThatCannotBeReachedIsToldAsItIs) {
  ScriptedProxy proxy;
  EXPECT_EQ(connect(proxy).error().text, "dial tcp: connection refused");
}

TEST_F(Socks4Connector, AnySegmentationIsTheSame) {
  for (std::size_t piece : {1U, 3U}) {
    for (std::size_t capacity : {1U, 5U, 1000U}) {
      ScriptedProxy proxy{{{kByName, kGranted}}};
      proxy.pipe = {.capacity = capacity, .read_at_most = piece};
      EXPECT_TRUE(connect(proxy));
      EXPECT_EQ(proxy.received[0], kByName);
    }
  }
}

TEST_F(Socks4Connector, EndsWhereverTheConnectionBreaks) {
  std::size_t steps = 0;
  for (;; ++steps) {
    ScriptedProxy proxy{{{kByName, kGranted}}};
    proxy.pipe = {.read_at_most = 2, .fail_at = steps};
    auto connected = connect(proxy);
    if (connected) break;
    EXPECT_EQ(connected.error().cause, Cause::reset) << steps;
  }
  EXPECT_EQ(steps, 5U) << "one write and four reads";
}

}  // namespace
}  // namespace gost::socks4
