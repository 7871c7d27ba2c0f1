#include "socks5/mbind_client.hpp"

#include "component/testing/scripted_proxy.hpp"
#include "observe/log_capture.hpp"
#include "socks5/connector.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using gost::testing::read_now;
using gost::testing::ScriptedProxy;

// Frames of smux version 1, as in the recordings mbind-client*.
const std::string kSyn3 = "0100000003000000";
const std::string kFin3 = "0101000003000000";
const std::string kIntroduction3 = "01020a000300000005000001c6336407d431";
const std::string kPing3 = "010207000300000070696e672d7031";
const std::string kSyn5 = "0100000005000000";
const std::string kIntroduction5 = "01021600050000000500000400000000000000000000000000000001d431";
const SocketAddress kPeer(IpAddress::v4({198, 51, 100, 7}), 54321);

/// A port of a proxy that the test plays.
struct Fixture {
  explicit Fixture(const MemoryPipeOptions& pipe = {}, NameLookup lookup = {}) {
    auto [near, far] = make_memory_pipe(pipe);
    proxy = std::move(far);
    SmuxOptions mux;
    mux.keepalive_disabled = true;
    port = std::make_unique<MuxBind>(io, std::move(near), Endpoint{"127.0.0.1", 23184}, mux, std::move(lookup),
                                     Logger(log, Level::info));
  }

  void run(Task<> (*play)(Fixture&)) { io.loop.run(drive(play(*this))); }

  Task<> carry() {
    co_await port->run();
    ended = true;
  }
  Task<> say(std::string hex) {
    auto bytes = from_hex(hex).value();
    std::ignore = co_await write_all(*proxy, bytes);
  }
  static Task<> settle() {
    for (int turn = 0; turn < 100; ++turn) co_await yield();
  }
  /// All that has been said to the proxy and not been heard yet.
  std::string heard() const { return to_hex(as_bytes(read_now(*proxy))); }
  Task<std::unique_ptr<Stream>> accept() {
    auto peer = co_await with_deadline(60s, port->accept());
    if (!peer) last_error = peer.error();
    co_return peer ? std::move(*peer) : nullptr;
  }
  std::size_t warnings() {
    std::size_t count = 0;
    for (const std::string& line : log->take()) count += line.contains("was dropped") ? 1 : 0;
    return count;
  }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<LogCapture> log = std::make_shared<LogCapture>();
  std::unique_ptr<Stream> proxy;
  std::unique_ptr<MuxBind> port;
  bool ended = false;
  std::optional<Error> last_error;

 private:
  Task<> drive(Task<> play) {
    TaskGroup group(co_await this_scope());
    group.spawn(carry());
    co_await std::move(play);
    proxy.reset();
    co_await group.join();
  }
};

Task<> a_peer(Fixture& f) {
  co_await f.say(kSyn3 + kIntroduction3 + kPing3);
  auto peer = co_await f.accept();
  if (peer == nullptr) co_return ADD_FAILURE() << f.last_error->text;
  EXPECT_EQ(peer->remote(), kPeer);
  co_await Fixture::settle();
  EXPECT_EQ(read_now(*peer), "ping-p1");
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("pong-p1")));
  co_await Fixture::settle();
  EXPECT_EQ(f.heard(), "0102070003000000706f6e672d7031");
  peer.reset();
  co_await Fixture::settle();
  EXPECT_EQ(f.heard(), kFin3);
}

TEST(Socks5MuxBind, APeerComesWithItsAddress) {
  Fixture fixture;
  fixture.run(&a_peer);
  EXPECT_EQ(fixture.port->bound(), (Endpoint{"127.0.0.1", 23184}));
  EXPECT_TRUE(fixture.log->take().empty());
}

TEST(Socks5MuxBind, InAnyPieces) {
  Fixture fixture({.read_at_most = 1});
  fixture.run(&a_peer);
}

Task<> split_reply(Fixture& f) {
  // One byte a frame, and the last one with payload: GOST loses that.
  std::string reply = "05000001c6336407d4";
  co_await f.say(kSyn3);
  for (std::size_t at = 0; at < reply.size(); at += 2) co_await f.say("0102010003000000" + reply.substr(at, 2));
  co_await f.say(
      "0102060003000000"
      "31"
      "68656c6c6f");
  auto peer = co_await f.accept();
  if (peer == nullptr) co_return ADD_FAILURE() << f.last_error->text;
  EXPECT_EQ(peer->remote(), kPeer);
  EXPECT_EQ(read_now(*peer), "hello");
}

TEST(Socks5MuxBind, TheReplyMayBeSplitAndShareAFrameWithPayload) {
  Fixture fixture;
  fixture.run(&split_reply);
}

Task<> six_and_a_name(Fixture& f) {
  co_await f.say(kSyn5 + kIntroduction5);
  auto six = co_await f.accept();
  EXPECT_EQ(six == nullptr ? "" : six->remote().to_string(), "[::1]:54321");
  co_await f.say(kSyn3 + "010210000300000005000003096c6f63616c686f7374d431");
  auto named = co_await f.accept();
  EXPECT_EQ(named == nullptr ? "" : named->remote().to_string(), "127.0.0.1:54321");
}

Task<Result<std::vector<IpAddress>>> find_localhost(IoContext&, std::string host, Family family) {
  if (host != "localhost" || family != Family::v4) co_return fail(Cause::host_unreachable, "no such host");
  co_return std::vector{IpAddress::v4({127, 0, 0, 1})};
}

TEST(Socks5MuxBind, APeersAddressMayBeIPv6OrAName) {
  Fixture fixture({}, &find_localhost);
  fixture.run(&six_and_a_name);
}

Task<> bad_streams(Fixture& f) {
  TimePoint start = f.io.loop.now();
  co_await f.say(kSyn3 + "01020a000300000005010001c6336407d431");  // reply 01
  co_await f.say(
      "0100000007000000"
      "01020a000700000004000001c6336407d431");  // not SOCKS5
  co_await f.say(
      "0100000009000000"
      "0101000009000000");  // FIN and no reply
  co_await f.say(
      "010000000b000000"
      "010204000b00000005000003"
      "010205000b000000026e6fd431");  // name that is not
  co_await f.say(
      "010000000d000000"
      "010204000d00000005000001");  // half a reply
  co_await f.say(kSyn5 + kIntroduction5);
  auto good = co_await f.accept();
  EXPECT_NE(good, nullptr);
  EXPECT_EQ(f.io.loop.now(), start) << "nobody waits for the silent one";
  co_await Fixture::settle();
  EXPECT_EQ(f.warnings(), 4U);
  co_await sleep_for(16s);
  EXPECT_EQ(f.warnings(), 1U);
  std::string heard = f.heard();
  for (const char* end :
       {"0101000003000000", "0101000007000000", "0101000009000000", "010100000b000000", "010100000d000000"})
    EXPECT_TRUE(heard.contains(end)) << end << " in " << heard;
  EXPECT_FALSE(f.ended);
}

TEST(Socks5MuxBind, ABadStreamHarmsNobodyElse) {
  Fixture fixture({}, &find_localhost);
  fixture.run(&bad_streams);
}

Task<> too_many(Fixture& f) {
  for (std::uint32_t id = 3; id < 3 + 2 * (MuxBind::kMaxWaiting + 1); id += 2) {
    co_await f.say("01000000" +
                   to_hex(std::array{static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(id >> 8)}) + "0000");
    co_await yield();
  }
  co_await Fixture::settle();
  EXPECT_EQ(f.warnings(), 1U);
  EXPECT_EQ(f.heard(), "0101000003080000") << "the last one";
}

TEST(Socks5MuxBind, SoManyMayWait) {
  Fixture fixture;
  fixture.run(&too_many);
}

Task<> loss(Fixture& f) {
  co_await f.say(kSyn3 + kIntroduction3);
  auto peer = co_await f.accept();
  co_await f.say(kSyn5 + kIntroduction5);
  co_await Fixture::settle();
  f.proxy.reset();
  co_await Fixture::settle();
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(co_await f.accept(), nullptr) << "the one that waited has gone, too";
  EXPECT_EQ(f.last_error->text, "mbind: the proxy has ended the session");
  std::array<std::uint8_t, 1> byte{};
  EXPECT_EQ(peer->try_read(byte).status, IoResult::Status::error);
}

TEST(Socks5MuxBind, WithTheConnectionEverythingIsLost) {
  Fixture fixture;
  fixture.run(&loss);
  EXPECT_EQ(fixture.warnings(), 0U);
}

Task<> closed(Fixture& f) {
  co_await f.say(kSyn3 + kIntroduction3);
  auto peer = co_await f.accept();
  f.port->close();
  EXPECT_EQ(co_await f.accept(), nullptr);
  co_await f.say(kSyn5 + kIntroduction5);
  co_await sleep_for(10s);
  EXPECT_EQ(f.heard(), "0101000005000000") << "newcomers are turned away";
  EXPECT_FALSE(f.ended);
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("x")));
  co_await Fixture::settle();
  EXPECT_EQ(f.heard(), "010201000300000078");
  peer.reset();
  co_await sleep_for(11s);
  EXPECT_TRUE(f.ended);
}

TEST(Socks5MuxBind, ClosedItLastsAsLongAsItsPeers) {
  Fixture fixture;
  fixture.run(&closed);
}

struct Client {
  explicit Client(ScriptedProxy with) : proxy(std::move(with)) {}

  Result<std::unique_ptr<RemoteBind>> bind(Endpoint at) {
    return io.loop.run(proxy.serve(connector->bind(io, proxy, std::move(at))));
  }
  Result<std::unique_ptr<Datagram>> bind_datagram(Endpoint at) {
    return io.loop.run(proxy.serve(connector->bind_datagram(io, proxy, std::move(at))));
  }

  IoContext io{Loop::Time::simulated};
  ScriptedProxy proxy;
  std::shared_ptr<const Connector> connector = make_connector({}).value();
};

ScriptedProxy::Script answering(const std::string& request, const std::string& reply) {
  return {{"050100", "0500"}, {request, reply}};
}

TEST(Socks5ConnectorBind, AsksForAMultiplexedBind) {
  Client fixed({answering("05f200017f0000015a90", "050000017f0000015a90")});
  auto port = fixed.bind({"127.0.0.1", 23184});
  ASSERT_TRUE(port) << port.error().text;
  EXPECT_EQ((*port)->bound(), (Endpoint{"127.0.0.1", 23184}));
  EXPECT_EQ(fixed.proxy.admissions, 1);
  Client anywhere({answering("05f20001000000005a90",
                             "0500000300"
                             "5a90")});
  EXPECT_TRUE(anywhere.bind({"", 23184}));
  Client named({answering("05f200030e6e6f737563682e696e76616c69645a90", "050000017f0000015a90")});
  EXPECT_TRUE(named.bind({"nosuch.invalid", 23184}));
}

TEST(Socks5ConnectorBind, TellsWhyTheProxyRefuses) {
  Client unknown({answering("05f200017f0000015a90", "05070001000000000000")});
  auto port = unknown.bind({"127.0.0.1", 23184});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().cause, Cause::command);
  EXPECT_EQ(port.error().text, "socks5: MBIND: command not supported (reply 07)");
  Client disabled({answering("05f30101000000005a90", "05020001000000000000")});
  auto way = disabled.bind_datagram({"0.0.0.0", 23184});
  ASSERT_FALSE(way);
  EXPECT_EQ(way.error().text, "socks5: UDP bind: not allowed by the proxy (reply 02)");
}

TEST(Socks5ConnectorBind, DatagramsOfAPortAreFrames) {
  Client client({answering("05f30101000000005a90", "05000001000000005a90")});
  auto way = client.bind_datagram({"0.0.0.0", 23184});
  ASSERT_TRUE(way) << way.error().text;
  EXPECT_EQ((*way)->local().port(), 23184);
}

}  // namespace
}  // namespace gost::socks5
