#include "socks5/mbind.hpp"

#include "socks5/testing/scene.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::hex;
using testing::hex_port;
using testing::port_of;
using testing::Scene;

/// Without keepalive the session says nothing by itself, however far the simulated clock jumps.
HandlerOptions mbind(MbindOptions options = {}) {
  std::get<SmuxOptions>(options.mux).keepalive_disabled = true;
  return {.bind = true, .mbinding = options};
}
const std::string kAnyPort = "05f20001 7f000001 0000";

std::string stream_id(int id) {
  return to_hex(std::array{static_cast<std::uint8_t>(id)}) + "000000";
}
std::string syn(int id) {
  return "01000000" + stream_id(id);
}
std::string fin(int id) {
  return "01010000" + stream_id(id);
}
/// A frame with `payload` (hex) of less than 256 bytes.
std::string push(int id, const std::string& payload) {
  return "0102" + to_hex(std::array{static_cast<std::uint8_t>(payload.size() / 2)}) + "00" + stream_id(id) + payload;
}
std::string introduction(int id, const TcpStream& peer) {
  return syn(id) + push(id, "050000017f000001" + hex_port(peer.local().port()));
}

Task<std::unique_ptr<TcpStream>> connect_to(std::uint16_t port) {
  auto stream = co_await connect_tcp(address("127.0.0.1", port));
  EXPECT_TRUE(stream) << stream.error().text;
  co_return std::move(*stream);
}

Task<> expect_heard(Scene& scene, std::string wanted) {
  EXPECT_EQ(co_await scene.served.hear(wanted.size() / 2), wanted);
}
Task<std::string> read_text(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  auto bytes = MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), size);
  auto read = co_await read_exactly(stream, bytes);
  co_return read ? text : read.error().text;
}

/// The recording mbind-server-raw: two peers, one that the client leaves and one that leaves by itself.
Task<> whole_conversation(Scene& scene) {
  std::uint16_t port = port_of(co_await scene.request(kAnyPort));
  auto first = co_await connect_to(port);
  co_await expect_heard(scene, introduction(3, *first));
  EXPECT_TRUE(co_await write_all(*first, as_bytes("ping-p1")));
  co_await expect_heard(scene, push(3, hex("ping-p1")));
  co_await scene.served.say(push(3, hex("pong-p1")));
  EXPECT_EQ(co_await read_text(*first, 7), "pong-p1");
  co_await scene.served.say(fin(3));
  EXPECT_EQ(co_await read_text(*first, 1), "EOF");
  auto second = co_await connect_to(port);
  co_await expect_heard(scene, introduction(5, *second));
  first.reset();
  co_await expect_heard(scene, fin(3));
  EXPECT_TRUE(co_await write_all(*second, as_bytes("ping-p2")));
  second.reset();
  co_await expect_heard(scene, push(5, hex("ping-p2")) + fin(5));
  co_await scene.served.say(push(5, hex("pong-late")) + fin(5));
  auto third = co_await connect_to(port);
  co_await expect_heard(scene, introduction(7, *third));
}

TEST(Socks5Mbind, EachPeerIsAStreamThatBeginsWithItsAddress) {
  Scene scene(mbind());
  scene.run(&whole_conversation);
  EXPECT_TRUE(scene.served.outcome) << scene.served.outcome.error().text;
  EXPECT_EQ(scene.served.session->bytes.from_a, 7U);
  EXPECT_EQ(scene.served.session->bytes.from_b, 14U);
}

TEST(Socks5Mbind, FramesMayComeByteByByte) {
  Scene scene(mbind(), {.read_at_most = 1});
  scene.run(&whole_conversation);
  EXPECT_TRUE(scene.served.outcome);
}

Task<> peer_without_introduction(Scene& scene) {
  auto peer = co_await connect_to(port_of(co_await scene.request(kAnyPort)));
  co_await expect_heard(scene, syn(3));
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("ping-p1")));
  co_await expect_heard(scene, push(3, hex("ping-p1")));
}

TEST(Socks5Mbind, WithCompThePeersBytesBeginAtOnce) {
  Scene scene(mbind({.comp = true}));
  scene.run(&peer_without_introduction);
}

Task<> expect_refusal(Scene& scene, std::string request) {
  EXPECT_EQ(co_await scene.request(std::move(request)), "05010001000000000000");
  EXPECT_EQ(co_await scene.served.hear(1), "") << "closed";
}

TEST(Socks5Mbind, WhatCannotBeListenedToIsAGeneralFailure) {
  auto busy = TcpListenSocket::bind("127.0.0.1:0").value();
  Scene port_busy(mbind());
  port_busy.run(&expect_refusal, "05f20001 7f000001" + hex_port(busy.local().port()));
  EXPECT_TRUE(port_busy.served.outcome.error().text.ends_with("address already in use"));
  Scene bad_name(mbind());
  bad_name.run(&expect_refusal, "05f20003 0e" + hex("nosuch.invalid") + "5a90");
  // BIND would take this one for the peer that is expected.
  Scene not_here(mbind());
  not_here.run(&expect_refusal, "05f20001 c0000201 0015");
  EXPECT_EQ(not_here.served.outcome.error().text, "listen tcp 192.0.2.1:21: cannot assign requested address");
}

Task<> client_leaves(Scene& scene) {
  std::uint16_t port = port_of(co_await scene.request(kAnyPort));
  auto peer = co_await connect_to(port);
  co_await expect_heard(scene, introduction(3, *peer));
  scene.served.client.reset();
  auto end = co_await read_text(*peer, 1);
  EXPECT_TRUE(end == "EOF" || end == "read: connection reset by peer") << end;
  while (!scene.served.ended) co_await yield();
  EXPECT_FALSE(co_await connect_tcp(address("127.0.0.1", port))) << "the port has gone";
}

TEST(Socks5Mbind, TheEndOfTheClientEndsPeersAndPort) {
  Scene scene(mbind());
  scene.run(&client_leaves);
  EXPECT_TRUE(scene.served.outcome);
}

Task<> breaks_the_rules(Scene& scene) {
  auto peer = co_await connect_to(port_of(co_await scene.request(kAnyPort)));
  co_await expect_heard(scene, introduction(3, *peer));
  co_await scene.served.say("0700000003000000");
  EXPECT_NE(co_await read_text(*peer, 1), "");
  while (!scene.served.ended) co_await yield();
}

TEST(Socks5Mbind, AClientThatDoesNotSpeakSmuxEndsTheSession) {
  Scene scene(mbind());
  scene.run(&breaks_the_rules);
  EXPECT_TRUE(scene.served.outcome) << "the log's relay line tells why";
}

Task<> opens_a_stream(Scene& scene) {
  std::uint16_t port = port_of(co_await scene.request(kAnyPort));
  co_await scene.served.say(syn(2) + push(2, hex("hello")));
  co_await expect_heard(scene, fin(2));
  auto peer = co_await connect_to(port);
  co_await expect_heard(scene, introduction(3, *peer));
}

TEST(Socks5Mbind, StreamsOfTheClientAreClosedAndHarmNothing) {
  Scene scene(mbind());
  scene.run(&opens_a_stream);
}

Task<> one_peer_too_many(Scene& scene) {
  std::uint16_t port = port_of(co_await scene.request(kAnyPort));
  auto first = co_await connect_to(port);
  auto second = co_await connect_to(port);
  co_await expect_heard(scene, introduction(3, *first));
  EXPECT_TRUE(co_await write_all(*second, as_bytes("me too")));
  co_await scene.served.settle();
  EXPECT_FALSE(scene.served.client->ready(Interest::read)) << "it waits";
  first.reset();
  co_await expect_heard(scene, fin(3) + introduction(5, *second) + push(5, hex("me too")));
}

TEST(Socks5Mbind, PeersBeyondTheLimitWait) {
  Scene scene(mbind({.max_peers = 1}));
  scene.run(&one_peer_too_many);
}

Task<> forbidden_peer(Scene& scene) {
  auto peer = co_await connect_to(port_of(co_await scene.request(kAnyPort)));
  auto end = co_await read_text(*peer, 1);
  EXPECT_TRUE(end == "EOF" || end == "read: connection reset by peer") << end;
  EXPECT_FALSE(scene.served.client->ready(Interest::read)) << "nothing was said of it";
}

TEST(Socks5Mbind, APeerThatABypassForbidsIsTurnedAway) {
  Scene scene(mbind());
  scene.router->forbidden.insert("127.0.0.1");
  scene.run(&forbidden_peer);
}

Task<> silent_client(Scene& scene) {
  co_await scene.request(kAnyPort);
  TimePoint start = scene.io.loop.now();
  while (!scene.served.ended) co_await sleep_for(1s);
  EXPECT_GE(scene.io.loop.now() - start, 30s);
  EXPECT_LE(scene.io.loop.now() - start, 61s);
}

TEST(Socks5Mbind, AClientThatIsNotThereAnyMoreIsNoticed) {
  Scene scene({.bind = true});
  scene.run(&silent_client);
}

Task<> try_to_serve(Scene& scene) {
  std::string reply = co_await scene.request(kAnyPort);
  if (reply.size() < 20) co_return;
  auto peer = co_await connect_tcp(address("127.0.0.1", port_of(reply)));
  if (!peer) co_return;
  co_await scene.served.hear(26);
  co_await scene.served.say(push(3, hex("x")));
  co_await scene.served.settle();
}

TEST(Socks5Mbind, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 2; step < 10; ++step) {
    Scene scene(mbind(), {.fail_at = step});
    scene.run(&try_to_serve);
    EXPECT_TRUE(scene.served.ended) << step;
  }
}

}  // namespace
}  // namespace gost::socks5
