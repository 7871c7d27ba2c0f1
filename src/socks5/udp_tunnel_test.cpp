#include "socks5/udp_tunnel.hpp"

#include "socks5/testing/scene.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::DatagramScript;
using testing::hex;
using testing::hex_port;
using testing::Packet;
using testing::port_of;
using testing::Scene;
using testing::ServedSession;
using testing::UdpPeer;

const std::string kRelay = "05f30001 00000000 0000";
const SocketAddress kTarget = address("8.8.8.8", 53);

class TunnelScene : public Scene {
 public:
  explicit TunnelScene(HandlerOptions options, const MemoryPipeOptions& pipe = {}) : Scene(std::move(options), pipe) {
    router->datagrams = targets;
  }
  std::shared_ptr<DatagramScript> targets = std::make_shared<DatagramScript>();
};

Task<> relay_both_ways(Scene& base) {
  auto& scene = static_cast<TunnelScene&>(base);
  EXPECT_EQ(co_await scene.request(kRelay), "050000017f0000010fa0") << "where the way out begins";
  co_await scene.served.say("0004ff01080808080035" + hex("ping") + "0002ff03036e2e650050" + hex("ab") +
                            "0000ff01080808080035" + "0001000108080808003578");
  co_await ServedSession::settle();
  EXPECT_EQ(
      scene.targets->take(),
      (std::vector<Packet>{
          {kTarget, "", "ping"}, {address("0.0.0.0", 80), "n.e", "ab"}, {kTarget, "", ""}, {kTarget, "", "x"}}));
  scene.targets->put({kTarget, "", "pong"});
  EXPECT_EQ(co_await scene.served.hear(14), "0004ff01080808080035" + hex("pong"));
  scene.served.client->try_shutdown();
  EXPECT_EQ(co_await scene.served.hear(1), "");
}

TEST(Socks5UdpTunnel, RelaysFramesInAnySegmentation) {
  for (std::size_t at_once : {1U, 3U, 1000U}) {
    TunnelScene scene({.udp = true}, {.read_at_most = at_once});
    scene.targets->names = true;
    scene.run(&relay_both_ways);
    EXPECT_TRUE(scene.served.outcome);
    EXPECT_EQ(scene.served.session->datagrams.from_client, 4U);
    EXPECT_EQ(scene.served.session->datagrams.to_client, 1U);
    EXPECT_EQ(scene.served.session->datagrams.dropped, 0U);
  }
}

Task<> empty_frames(Scene& base, std::string reserved, bool with_empty) {
  auto& scene = static_cast<TunnelScene&>(base);
  std::string reply = co_await scene.request("05f3" + reserved + "01 00000000 0000");
  EXPECT_EQ(reply.substr(4, 2), with_empty ? "01" : "00");
  scene.targets->put({kTarget, "", ""});
  scene.targets->put({kTarget, "", "x"});
  if (with_empty) EXPECT_EQ(co_await scene.served.hear(10), "0000ff01080808080035");
  EXPECT_EQ(co_await scene.served.hear(11), "0001ff0108080808003578");
}

TEST(Socks5UdpTunnel, EmptyDatagramsGoOnlyToWhoUnderstandsThem) {
  TunnelScene ours({.udp = true});
  ours.run(&empty_frames, "01", true);
  EXPECT_EQ(ours.served.session->datagrams.to_client, 2U);
  TunnelScene gost({.udp = true});
  gost.run(&empty_frames, "00", false);
  EXPECT_EQ(gost.served.session->datagrams.to_client, 1U);
  EXPECT_EQ(gost.served.session->datagrams.dropped, 1U);
  TunnelScene another({.udp = true});
  another.run(&empty_frames, "ff", false);
}

Task<> bad_frame(Scene& base) {
  auto& scene = static_cast<TunnelScene&>(base);
  co_await scene.request(kRelay);
  co_await scene.served.say("0001ff0108080808003561" + std::string("0001ff0908080808003561"));
  EXPECT_EQ(co_await scene.served.hear(1), "") << "nobody knows where the next frame begins";
  EXPECT_EQ(scene.targets->sent, (std::vector<Packet>{{kTarget, "", "a"}}));
}

TEST(Socks5UdpTunnel, AMalformedFrameEndsIt) {
  TunnelScene scene({.udp = true});
  scene.run(&bad_frame);
  EXPECT_TRUE(scene.served.ended);
}

Task<> unpleasant_datagrams(Scene& base) {
  auto& scene = static_cast<TunnelScene&>(base);
  co_await scene.request(kRelay);
  co_await scene.served.say("0001ff0108080808000061");  // port 0
  co_await scene.served.say(
      "0001ff03"
      "0e" +
      hex("nosuch.invalid") +
      "0035"
      "61");  // no such host
  co_await scene.served.say(
      "0001ff01090909090035"
      "61");  // forbidden
  co_await scene.served.say("0009ff01080808080035" + hex("too long!"));
  co_await scene.served.say(
      "0001ff01080808080035"
      "62");
  scene.targets->put({address("9.9.9.9", 53), "", "from the forbidden"});
  scene.targets->put({kTarget, "", "too long!"});
  scene.targets->put({kTarget, "", "ok"});
  EXPECT_EQ(co_await scene.served.hear(12), "0002ff01080808080035" + hex("ok"));
  EXPECT_EQ(scene.targets->sent, (std::vector<Packet>{{kTarget, "", "b"}}));
}

TEST(Socks5UdpTunnel, OneDatagramHarmsOnlyItself) {
  TunnelScene scene({.udp = true, .relaying = {.buffer_size = 8}});
  scene.router->forbidden = {"9.9.9.9"};
  scene.run(&unpleasant_datagrams);
  EXPECT_EQ(scene.served.session->datagrams.dropped, 6U);
}

Task<> expect_reply(Scene& scene, std::string request, std::string reply) {
  EXPECT_EQ(co_await scene.request(std::move(request)), reply);
}

TEST(Socks5UdpTunnel, ThePortDecidesWhichOptionItNeeds) {
  const std::string bind = "05f30001 7f000001 5a90";
  const std::string refused = "05020001000000000000";
  TunnelScene no_udp({.bind = true});
  no_udp.run(&expect_reply, kRelay, refused);
  TunnelScene no_bind({.udp = true});
  no_bind.run(&expect_reply, bind, refused);
}

TEST(Socks5UdpTunnel, AFailureOfTheWayToTheTargetsIsTold) {
  TunnelScene scene({.udp = true});
  scene.router->error = Error{Cause::host_unreachable, "node gone"};
  scene.run(&expect_reply, kRelay, "05040001000000000000");
  EXPECT_EQ(scene.served.outcome.error().text, "node gone");
}

/// A UDP port of this machine that is free now.
std::uint16_t free_port() {
  IoContext io;
  return UdpPeer(io).local().port();
}

Task<> two_peers(Scene& scene, std::uint16_t port) {
  EXPECT_EQ(co_await scene.request("05f30001 7f000001" + hex_port(port)), "050000017f000001" + hex_port(port));
  SocketAddress bound = address("127.0.0.1", port);
  UdpPeer one(scene.io);
  UdpPeer two(scene.io, "127.0.0.2");
  const std::string from_one = "0001ff017f000001" + hex_port(one.local().port());
  const std::string from_two = "0001ff017f000002" + hex_port(two.local().port());
  one.send(bound, "31");
  EXPECT_EQ(co_await scene.served.hear(11), from_one + "31");
  two.send(bound, "32");
  EXPECT_EQ(co_await scene.served.hear(11), from_two + "32");
  co_await scene.served.say(from_two + "62" + from_one + "61");
  EXPECT_EQ(co_await one.receive(), "61");
  EXPECT_EQ(one.from, bound);
  EXPECT_EQ(co_await two.receive(), "62");
  co_await sleep_for(24h);
  EXPECT_FALSE(scene.served.ended) << "a bound tunnel waits for its peers as long as it takes";
}

TEST(Socks5UdpTunnel, BindModeServesEveryPeerByItsAddress) {
  TunnelScene scene({.bind = true});
  scene.run(&two_peers, free_port());
}

TEST(Socks5UdpTunnel, WhatCannotBeBoundIsAGeneralFailure) {
  const std::string failed = "05010001000000000000";
  IoContext io;
  UdpPeer busy(io);
  TunnelScene port_busy({.bind = true});
  port_busy.run(&expect_reply, "05f30001 7f000001" + hex_port(busy.local().port()), failed);
  TunnelScene not_local({.bind = true});
  not_local.run(&expect_reply, "05f30001 c0000201 5a90", failed);
  TunnelScene bad_name({.bind = true});
  bad_name.run(&expect_reply, "05f30003 0e" + hex("nosuch.invalid") + "5a90", failed);
}

Task<> wait_for_the_end(Scene& scene, std::string request, Duration limit) {
  TimePoint start = scene.io.loop.now();
  co_await scene.request(std::move(request));
  EXPECT_EQ(co_await scene.served.hear(1), "");
  EXPECT_EQ(scene.io.loop.now() - start, limit);
}

TEST(Socks5UdpTunnel, AnIdleTunnelEnds) {
  TunnelScene relay({.udp = true});
  relay.run(&wait_for_the_end, kRelay, 5min);
  const HandlerOptions one_minute{.bind = true, .udp = true, .relaying = {.idle_timeout = 1min}};
  TunnelScene shorter(one_minute);
  shorter.run(&wait_for_the_end, kRelay, 1min);
  TunnelScene bound(one_minute);
  bound.run(&wait_for_the_end, "05f30001 7f000001" + hex_port(free_port()), 1min);
}

Task<> way_out_ends(Scene& base) {
  auto& scene = static_cast<TunnelScene&>(base);
  co_await scene.request(kRelay);
  scene.targets->end();
  EXPECT_EQ(co_await scene.served.hear(1), "");
}

TEST(Socks5UdpTunnel, EndsWithTheWayToTheTargets) {
  TunnelScene scene({.udp = true});
  scene.run(&way_out_ends);
}

}  // namespace
}  // namespace gost::socks5
