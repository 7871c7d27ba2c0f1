#include "socks4/handler.hpp"

#include "component/testing/script.hpp"
#include "net/tcp.hpp"

namespace gost::socks4 {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::ScriptedRouter;

class OneUser final : public Authenticator {
 public:
  bool check(std::string_view user, std::string_view password) const override {
    return user == "bob" && password.empty();
  }
};

class Socks4Handler : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedRouter> router_ = std::make_shared<ScriptedRouter>();
  SocksHandler open_{{.router = router_}};
  SocksHandler closed_{{.auther = std::make_shared<OneUser>(), .router = router_}};

  testing::Conversation talk(const SocksHandler& handler, const std::string& hex,
                             const MemoryPipeOptions& pipe = {}) {
    return converse(handler, hex, pipe, [this] { router_->end(); });
  }
};

const std::string kGranted = "005a000000000000";

TEST_F(Socks4Handler, ConnectsToAddressesAndNames) {
  EXPECT_EQ(talk(open_, "040100507f00000100").received, kGranted);
  EXPECT_EQ(talk(open_, "0401005000000001 626f6200 6c6f63616c686f737400", {.read_at_most = 1}).received, kGranted);
  EXPECT_EQ(router_->dialed, (std::vector<Endpoint>{{"127.0.0.1", 80}, {"localhost", 80}}));
}

TEST_F(Socks4Handler, APayloadBehindTheRequestReachesTheTarget) {
  std::array<std::uint8_t, 16> got{};
  converse(open_, "040100507f000001 626f6200 70696e67", {}, [&] {
    EXPECT_EQ(router_->target().try_read(got).bytes, 4U);
    router_->end();
  });
  EXPECT_EQ(as_text(Bytes(got).first(4)), "ping");
}

TEST_F(Socks4Handler, TheUserIdIsCheckedWithAnEmptyPassword) {
  EXPECT_EQ(talk(closed_, "040100507f000001 626f6200").received, kGranted);
  EXPECT_EQ(talk(closed_, "040100507f000001 626f6300").received, "005d000000000000");
  EXPECT_EQ(talk(closed_, "040100507f000001 00").received, "005d000000000000");
  EXPECT_EQ(router_->dialed.size(), 1U);
}

TEST_F(Socks4Handler, RefusalsTellRulesFromFailures) {
  router_->error = Error{Cause::refused, "no"};
  EXPECT_EQ(talk(open_, "040100507f00000100").received, "005b000000000000");
  router_->error = Error{Cause::denied, "no"};
  EXPECT_EQ(talk(open_, "040100507f00000100").received, "005c000000000000");
  EXPECT_EQ(talk(open_, "040200507f00000100").received, "005b000000000000") << "BIND is off";
}

TEST_F(Socks4Handler, MalformedAndUnfinishedRequestsGetNoAnswer) {
  EXPECT_EQ(talk(open_, "0501").received, "");
  EXPECT_EQ(talk(open_, "0403").received, "");
  auto unfinished = talk(open_, "040100507f000001 626f62");
  EXPECT_EQ(unfinished.received, "");
  EXPECT_EQ(unfinished.took, 15s);
  EXPECT_EQ(unfinished.outcome.error().cause, Cause::timeout);
}

TEST_F(Socks4Handler, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 0; step < 2; ++step)
    EXPECT_EQ(talk(open_, "040100507f00000100", {.fail_at = step}).outcome.error().cause, Cause::reset) << step;
}

using testing::ServedSession;

/// A BIND of a client that is connected to 127.0.0.1.
class Socks4Bind : public ::testing::Test {
 protected:
  using Play = Task<> (*)(Socks4Bind&);

  void play(HandlerOptions options, Play body, const MemoryPipeOptions& pipe = {}) {
    options.router = std::make_shared<ScriptedRouter>();
    served_.emplace(io_, loggers_, local(50'000), local(1080), pipe);
    SocksHandler handler(std::move(options));
    io_.loop.run(drive(handler, body(*this)));
  }
  static SocketAddress local(std::uint16_t port) { return {IpAddress::v4({127, 0, 0, 1}), port}; }

  Task<> drive(const SocksHandler& handler, Task<> body) {
    TaskGroup group(co_await this_scope());
    group.spawn(served_->serve(handler));
    co_await std::move(body);
    served_->client.reset();
    co_await group.join();
  }

 public:
  /// The request; where the reply says that the server listens.
  Task<SocketAddress> listening() {
    co_await served_->say("0402 0000 7f000001 00");
    std::string reply = co_await served_->hear(8);
    EXPECT_TRUE(reply.starts_with("005a") && reply.ends_with("7f000001")) << reply;
    auto bytes = from_hex(reply).value_or(std::vector<std::uint8_t>(8));
    co_return local(static_cast<std::uint16_t>(bytes[2] << 8 | bytes[3]));
  }

  IoContext io_{Loop::Time::simulated};
  ConnectionLoggers loggers_;
  std::optional<ServedSession> served_;
};

Task<> whole_bind(Socks4Bind& test) {
  auto peer = (co_await connect_tcp(co_await test.listening())).value();
  MessageBuffer<2> port;
  port.u16_be(peer->local().port());
  EXPECT_EQ(co_await test.served_->hear(8), "005a" + to_hex(port.view()) + "7f000001");
  co_await test.served_->say("70696e67");
  std::array<std::uint8_t, 4> got{};
  EXPECT_TRUE(co_await read_exactly(*peer, got));
  EXPECT_EQ(as_text(got), "ping");
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("pong")));
  EXPECT_EQ(co_await test.served_->hear(4), "706f6e67");
}

TEST_F(Socks4Bind, RepliesTwiceWithAddressesAndRelays) {
  for (std::size_t at_once : {1U, 1000U}) {
    play({.bind = true}, &whole_bind, {.read_at_most = at_once});
    EXPECT_EQ(served_->session->bytes.from_a, 4U);
    EXPECT_EQ(served_->session->bytes.from_b, 4U);
  }
}

Task<> bind_that_fails(Socks4Bind& test) {
  auto busy = TcpListenSocket::bind("127.0.0.1:0").value();
  MessageBuffer<2> port;
  port.u16_be(busy.local().port());
  co_await test.served_->say("0402" + to_hex(port.view()) + "7f000001 00");
  EXPECT_EQ(co_await test.served_->hear(9), "005b000000000000");
}

TEST_F(Socks4Bind, ABusyPortIsAFailure) {
  play({.bind = true}, &bind_that_fails);
}

Task<> nobody_comes(Socks4Bind& test) {
  TimePoint start = test.io_.loop.now();
  co_await test.listening();
  EXPECT_EQ(co_await test.served_->hear(9), "005b000000000000");
  EXPECT_EQ(test.io_.loop.now() - start, 5min);
}

TEST_F(Socks4Bind, APeerThatDoesNotComeInTimeIsAFailure) {
  play({.bind = true}, &nobody_comes);
  EXPECT_EQ(served_->outcome.error().cause, Cause::timeout);
}

Task<> client_leaves(Socks4Bind& test) {
  co_await test.listening();
  test.served_->client->try_shutdown();
  EXPECT_EQ(co_await test.served_->hear(1), "");
}

TEST_F(Socks4Bind, AClientThatLeavesEndsTheWait) {
  play({.bind = true}, &client_leaves);
  EXPECT_EQ(served_->outcome.error().cause, Cause::eof);
}

Task<> expect_public(Socks4Bind& test, std::string address) {
  co_await test.served_->say("0402 0000 7f000001 00");
  std::string reply = co_await test.served_->hear(8);
  EXPECT_EQ(reply.substr(0, 4) + reply.substr(8), "005a" + address);
}

TEST_F(Socks4Bind, OnlyAPublicIpv4AddressFitsIntoAReply) {
  play({.bind = true, .binding = {.public_addr = "203.0.113.5"}},
       [](Socks4Bind& test) { return expect_public(test, "cb007105"); });
  play({.bind = true, .binding = {.public_addr = "gw.example"}},
       [](Socks4Bind& test) { return expect_public(test, "00000000"); });
}

}  // namespace
}  // namespace gost::socks4
