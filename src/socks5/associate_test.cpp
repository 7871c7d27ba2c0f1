#include "socks5/associate.hpp"

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

const std::string kAssociate = "05030001 00000000 0000";
const std::string kToTarget = "00000001 08080808 0035";
const SocketAddress kTarget = address("8.8.8.8", 53);

/// A scene whose router leads to a script.
class UdpScene : public Scene {
 public:
  explicit UdpScene(UdpOptions options = {}, const MemoryPipeOptions& pipe = {})
      : Scene({.udp = true, .relaying = std::move(options)}, pipe) {
    router->datagrams = targets;
  }
  std::shared_ptr<DatagramScript> targets = std::make_shared<DatagramScript>();
};

Task<> there_and_back(Scene& base) {
  auto& scene = static_cast<UdpScene&>(base);
  std::string reply = co_await scene.request(kAssociate);
  EXPECT_TRUE(reply.starts_with("050000017f000001")) << reply;
  SocketAddress relay = address("127.0.0.1", port_of(reply));

  UdpPeer client(scene.io);
  client.send(relay, kToTarget + hex("ping"));
  co_await ServedSession::settle();
  EXPECT_EQ(scene.targets->take(), (std::vector<Packet>{{kTarget, "", "ping"}}));
  scene.targets->put({kTarget, "", "pong"});
  scene.targets->put({address("2001:db8::1", 7), "", "from anybody"});
  EXPECT_EQ(co_await client.receive(), "00000001080808080035" + hex("pong"));
  EXPECT_EQ(client.from, relay) << "from where the client sends to";
  EXPECT_EQ(co_await client.receive(), "0000000420010db80000000000000000000000010007" + hex("from anybody"));

  scene.served.client->try_shutdown();
  EXPECT_EQ(co_await scene.served.hear(1), "") << "the control connection ends it";
}

TEST(Socks5Associate, RelaysUntilTheControlConnectionEnds) {
  for (std::size_t at_once : {std::size_t{1}, std::size_t{1000}}) {
    UdpScene scene({}, {.read_at_most = at_once});
    scene.run(&there_and_back);
    EXPECT_TRUE(scene.served.outcome);
    EXPECT_EQ(scene.served.session->datagrams.from_client, 1U);
    EXPECT_EQ(scene.served.session->datagrams.to_client, 2U);
    EXPECT_EQ(scene.served.session->bytes.from_a, 4U);
    EXPECT_EQ(scene.served.session->bytes.from_b, 16U);
  }
}

Task<> spoofed(Scene& base) {
  auto& scene = static_cast<UdpScene&>(base);
  SocketAddress relay = address("127.0.0.1", port_of(co_await scene.request(kAssociate)));
  UdpPeer client(scene.io);
  UdpPeer neighbour(scene.io);
  UdpPeer stranger(scene.io, "127.0.0.2");
  stranger.send(relay, kToTarget + hex("first of all"));
  co_await ServedSession::settle();
  client.send(relay, kToTarget + hex("mine"));
  co_await ServedSession::settle();
  neighbour.send(relay, kToTarget + hex("same address"));
  stranger.send(relay, kToTarget + hex("again"));
  co_await ServedSession::settle();
  EXPECT_EQ(scene.targets->take(), (std::vector<Packet>{{kTarget, "", "mine"}}));
  scene.targets->put({kTarget, "", "answer"});
  EXPECT_EQ(co_await neighbour.receive(), "nothing");
  EXPECT_EQ(co_await stranger.receive(), "nothing");
  EXPECT_EQ(co_await client.receive(), "00000001080808080035" + hex("answer"));
}

TEST(Socks5Associate, NobodyButTheClientIsServed) {
  UdpScene scene;
  scene.run(&spoofed);
  EXPECT_EQ(scene.served.session->datagrams.dropped, 3U);
}

Task<> named_port(Scene& base) {
  auto& scene = static_cast<UdpScene&>(base);
  UdpPeer client(scene.io);
  UdpPeer neighbour(scene.io);
  std::string reply = co_await scene.request("05030001 7f000001" + hex_port(client.local().port()));
  SocketAddress relay = address("127.0.0.1", port_of(reply));
  scene.targets->put({kTarget, "", "before the first"});
  EXPECT_EQ(co_await client.receive(), "00000001080808080035" + hex("before the first"));
  neighbour.send(relay, kToTarget + hex("x"));
  co_await ServedSession::settle();
  EXPECT_TRUE(scene.targets->sent.empty());
}

TEST(Socks5Associate, ThePortOfTheRequestIsHonoured) {
  UdpScene scene;
  scene.run(&named_port);
}

Task<> expect_reply(Scene& scene, std::string request, std::string beginning) {
  std::string reply = co_await scene.request(std::move(request));
  EXPECT_TRUE(reply.starts_with(beginning)) << reply;
}

TEST(Socks5Associate, AnAddressOfThePublicIsToldANameIsNot) {
  UdpScene ip({.public_addr = "203.0.113.5"});
  ip.run(&expect_reply, kAssociate, "05000001cb007105");
  UdpScene name({.public_addr = "gw.example"});
  name.run(&expect_reply, kAssociate, "050000017f000001");
}

TEST(Socks5Associate, AFailureOfTheWayToTheTargetsIsTold) {
  UdpScene scene;
  scene.router->error = Error{Cause::refused, "node down"};
  scene.run(&expect_reply, kAssociate, "05050001000000000000");
  EXPECT_EQ(scene.served.outcome.error().text, "node down");
}

TEST(Socks5Associate, WithoutAFreePortThereIsNoRelay) {
  IoContext io;
  UdpPeer busy(io);
  UdpScene scene({.port_min = busy.local().port(), .port_max = busy.local().port()});
  scene.run(&expect_reply, kAssociate, "05010001000000000000");
}

Task<> one_more(Scene& base) {
  auto& scene = static_cast<UdpScene&>(base);
  EXPECT_TRUE((co_await scene.request(kAssociate)).starts_with("0500"));
  ServedSession second(scene.io, scene.loggers, address("127.0.0.1", 50'001), address("127.0.0.1", 1080));
  TaskGroup group(co_await this_scope());
  group.spawn(second.serve(*scene.handler));
  co_await second.say("050100" + kAssociate);
  EXPECT_EQ(co_await second.hear(12), "050005010001000000000000");
  second.client.reset();
  co_await group.join();
  EXPECT_EQ(second.outcome.error().text,
            "UDP ASSOCIATE: 127.0.0.1 has 1 associations already (option udp.maxAssociations)");

  scene.served.client->try_shutdown();
  co_await ServedSession::settle();
  ServedSession third(scene.io, scene.loggers, address("127.0.0.1", 50'002), address("127.0.0.1", 1080));
  group.spawn(third.serve(*scene.handler));
  co_await third.say("050100" + kAssociate);
  EXPECT_TRUE((co_await third.hear(12)).starts_with("05000500")) << "the first has gone";
  third.client.reset();
  co_await group.join();
}

TEST(Socks5Associate, AClientHasALimitedNumber) {
  UdpScene scene({.max_associations = 1});
  scene.run(&one_more);
}

Task<> wait_for_the_end(Scene& scene) {
  TimePoint start = scene.io.loop.now();
  co_await scene.request(kAssociate);
  EXPECT_EQ(co_await scene.served.hear(1), "");
  EXPECT_EQ(scene.io.loop.now() - start, 5min);
}

TEST(Socks5Associate, AnIdleAssociationEndsWithItsControlConnection) {
  UdpScene scene;
  scene.run(&wait_for_the_end);
  EXPECT_TRUE(scene.served.outcome) << "that is no failure";
}

Task<> fragments(Scene& base) {
  auto& scene = static_cast<UdpScene&>(base);
  SocketAddress relay = address("127.0.0.1", port_of(co_await scene.request(kAssociate)));
  UdpPeer client(scene.io);
  client.send(relay, "00000101080808080035" + hex("to"));
  client.send(relay, "00000201080808080035" + hex("get"));
  client.send(relay, "00008301080808080035" + hex("her"));
  co_await ServedSession::settle();
  EXPECT_EQ(scene.targets->sent, (std::vector<Packet>{{kTarget, "", "together"}}));
}

TEST(Socks5Associate, FragmentsAreReassembled) {
  UdpScene scene;
  scene.run(&fragments);
}

Task<> associate_and_leave(Scene& scene) {
  co_await scene.request(kAssociate);
}

TEST(Socks5Associate, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 2; step < 5; ++step) {
    UdpScene scene({}, {.fail_at = step});
    scene.run(&associate_and_leave);
    EXPECT_TRUE(scene.served.ended) << step;
  }
}

}  // namespace
}  // namespace gost::socks5
