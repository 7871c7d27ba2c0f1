// Binding ports at the end of a chain.
#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "route/router.hpp"
#include "route/testing/fake_proxies.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class FakePort final : public RemoteBind {
 public:
  Endpoint bound() const override { return {"proxy", 1}; }
  Task<> run() override { co_return; }
  Task<Result<std::unique_ptr<Stream>>> accept() override { co_return fail(Cause::eof, "nobody"); }
  void close() override {}
};

/// A proxy that binds, once it has let us in.
class BindingProxy final : public Connector, public Dialer {
 public:
  std::optional<Error> dial_error;
  std::optional<Error> refusal;
  bool hangs = false;
  mutable std::vector<std::string> asked;

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, RawConnection& raw) const override {
    if (dial_error) co_return fail(*dial_error);
    co_return co_await raw.open();
  }
  Task<Result<std::unique_ptr<Stream>>> connect(IoContext&, Underlay& underlay, Endpoint target) const override {
    asked.push_back("connect " + target.to_string());
    co_return co_await underlay.open_stream();
  }
  Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext&, Underlay& underlay, Endpoint at) const override {
    if (auto asking = co_await ask(underlay, "tcp " + at.to_string()); !asking) co_return fail(asking.error());
    co_return std::make_unique<FakePort>();
  }
  Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext&, Underlay& underlay, Endpoint at) const override {
    if (auto asking = co_await ask(underlay, "udp " + at.to_string()); !asking) co_return fail(asking.error());
    co_return std::make_unique<ScriptedDatagram>(std::make_shared<DatagramScript>());
  }

 private:
  Task<Result<>> ask(Underlay& underlay, std::string what) const {
    auto stream = co_await underlay.open_stream();
    if (!stream) co_return fail(std::move(stream.error()));
    underlay.admitted();
    asked.push_back(std::move(what));
    if (hangs) co_return fail(stop_error(co_await sleep_for(1h)));
    if (refusal) co_return fail(*refusal);
    co_return Result<>();
  }
};

HopOptions hop_of(std::size_t number, const std::vector<std::shared_ptr<BindingProxy>>& proxies) {
  HopOptions hop;
  hop.name = "hop-" + std::to_string(number);
  hop.selector.strategy = Strategy::fifo;
  for (std::size_t i = 0; i < proxies.size(); ++i) {
    NodeOptions node;
    node.name = "node-" + std::to_string(i);
    node.address = {"10.0." + std::to_string(number) + "." + std::to_string(i), 1080};
    node.connector = proxies[i];
    node.dialer = proxies[i];
    hop.nodes.push_back(std::move(node));
  }
  return hop;
}

class RouterBindTest : public ::testing::Test {
 protected:
  void use(std::vector<HopOptions> hops) {
    options.sockets = sockets;
    options.chains = std::make_shared<const ChainGroup>(std::vector{chain_of(std::move(hops))});
  }
  Result<std::unique_ptr<RemoteBind>> bind(Endpoint at) {
    ChainRouter router(options);
    return io.loop.run(router.bind(io, std::move(at), {}));
  }
  Result<std::unique_ptr<Datagram>> bind_datagram(Endpoint at) {
    ChainRouter router(options);
    return io.loop.run(router.bind_datagram(io, std::move(at), {}));
  }
  int failures(std::size_t node) const {
    return options.chains->choose({}, {}, TimePoint())->hops[0]->nodes()[node].candidate.failures();
  }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<FakeOutbound> sockets = std::make_shared<FakeOutbound>();
  RouterOptions options;
  std::shared_ptr<BindingProxy> one = std::make_shared<BindingProxy>();
  std::shared_ptr<BindingProxy> two = std::make_shared<BindingProxy>();
};

using Strings = std::vector<std::string>;

TEST_F(RouterBindTest, TheLastProxyBinds) {
  use({hop_of(0, {one}), hop_of(1, {two})});
  auto port = bind({"", 2222});
  ASSERT_TRUE(port) << port.error().text;
  EXPECT_EQ((*port)->bound().host, "proxy");
  EXPECT_TRUE(bind_datagram({"", 53}));
  EXPECT_EQ(one->asked, (Strings{"connect 10.0.1.0:1080", "connect 10.0.1.0:1080"}));
  EXPECT_EQ(two->asked, (Strings{"tcp :2222", "udp :53"}));
}

TEST_F(RouterBindTest, ANameIsLookedUpHereIfItExistsHere) {
  use({hop_of(0, {one})});
  sockets->system_names["gw"] = "192.0.2.7";
  EXPECT_TRUE(bind({"gw", 80}));
  EXPECT_TRUE(bind({"elsewhere", 80}));
  EXPECT_EQ(one->asked, (Strings{"tcp 192.0.2.7:80", "tcp elsewhere:80"}));
}

TEST_F(RouterBindTest, ADeadProxyIsMarkedAndReplaced) {
  use({hop_of(0, {one, two})});
  one->dial_error = Error{Cause::refused, "connection refused"};
  EXPECT_TRUE(bind({"", 2222}));
  EXPECT_EQ(two->asked, Strings{"tcp :2222"});
  EXPECT_EQ(failures(0), 1);
}

TEST_F(RouterBindTest, ARefusalNamesTheProxyAndMarksNobody) {
  use({hop_of(0, {one})});
  one->refusal = Error{Cause::other, "general failure (reply 01)"};
  auto port = bind({"", 2222});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().text, "hop-0/node-0 (10.0.0.0:1080): general failure (reply 01)");
  EXPECT_EQ(failures(0), 0);
}

TEST_F(RouterBindTest, AProxyThatHangsIsNotWaitedForLongerThanTheLimit) {
  use({hop_of(0, {one})});
  one->hangs = true;
  TimePoint start = io.loop.now();
  EXPECT_EQ(bind({"", 2222}).error().cause, Cause::timeout);
  EXPECT_EQ(io.loop.now() - start, 15s);
}

TEST_F(RouterBindTest, AConnectorThatCannotBindSaysSo) {
  use({fake_hop(0, {proxy_that(Behaviour::works)})});
  auto port = bind({"", 2222});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().text, "hop-0/node-0 (10.0.0.0:1080): the proxy 10.0.0.0:1080 cannot bind ports");
  EXPECT_FALSE(bind_datagram({"", 2222}));
  EXPECT_EQ(failures(0), 0);
}

TEST_F(RouterBindTest, NodesThatAreNoProxies) {
  HopOptions rejecting = hop_of(0, {one});
  rejecting.nodes[0].kind = NodeKind::reject;
  use({rejecting});
  EXPECT_EQ(bind({"", 2222}).error().cause, Cause::denied);
  HopOptions datagrams = hop_of(0, {one});
  datagrams.nodes[0].kind = NodeKind::datagrams;
  use({datagrams});
  EXPECT_EQ(bind({"", 2222}).error().cause, Cause::command);
  HopOptions direct = hop_of(1, {two});
  direct.nodes[0].kind = NodeKind::direct;
  use({hop_of(0, {one}), direct});
  EXPECT_TRUE(bind({"", 2222}));
  EXPECT_EQ(one->asked, Strings{"tcp :2222"});
}

Task<> visit(IoContext& io, RemoteBind& port) {
  TaskGroup group(co_await this_scope());
  group.spawn(port.run());
  auto visitor = co_await connect_tcp({IpAddress::v4({127, 0, 0, 1}), port.bound().port});
  if (!visitor) co_return ADD_FAILURE() << visitor.error().text;
  auto peer = co_await port.accept();
  EXPECT_EQ((*peer)->remote(), (*visitor)->local());
  EXPECT_EQ(io.connections.load(), 1);
  EXPECT_TRUE(co_await write_all(**peer, as_bytes("hello")));
  std::array<std::uint8_t, 5> got{};
  EXPECT_TRUE(co_await read_exactly(**visitor, got));
  EXPECT_EQ(as_text(got), "hello");
  port.close();
  EXPECT_FALSE(co_await port.accept());
  EXPECT_FALSE(co_await connect_tcp({IpAddress::v4({127, 0, 0, 1}), port.bound().port}));
  co_await group.join();
}

TEST_F(RouterBindTest, WithoutAChainItListensHere) {
  auto port = bind({"127.0.0.1", 0});
  ASSERT_TRUE(port) << port.error().text;
  auto busy = bind((*port)->bound());
  ASSERT_FALSE(busy);
  EXPECT_TRUE(busy.error().text.ends_with("bind: address already in use")) << busy.error().text;
  io.loop.run(visit(io, **port));
  auto datagrams = bind_datagram({"127.0.0.1", 0});
  ASSERT_TRUE(datagrams);
  EXPECT_NE((*datagrams)->local().port(), 0);
  EXPECT_FALSE(bind_datagram({"127.0.0.1", (*datagrams)->local().port()}));
  options.sockets = sockets;
  EXPECT_EQ(bind({"elsewhere", 80}).error().text, "listen elsewhere:80: no such host");
}

}  // namespace
}  // namespace gost
