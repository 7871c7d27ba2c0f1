#include "socks5/bind.hpp"

#include "socks5/testing/scene.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::hex;
using testing::hex_port;
using testing::port_of;
using testing::Scene;
using testing::ServedSession;

const HandlerOptions kBind{.bind = true};
const std::string kAnyPort = "05020001 7f000001 0000";

Task<std::unique_ptr<TcpStream>> connect_to(std::uint16_t port) {
  auto stream = co_await connect_tcp(address("127.0.0.1", port));
  EXPECT_TRUE(stream) << stream.error().text;
  co_return std::move(*stream);
}

Task<> whole_conversation(Scene& scene) {
  std::string first = co_await scene.request(kAnyPort);
  EXPECT_TRUE(first.starts_with("050000017f000001")) << first;
  co_await scene.served.say(hex("early "));
  auto peer = co_await connect_to(port_of(first));
  EXPECT_EQ(co_await scene.served.hear(10), "050000017f000001" + hex_port(peer->local().port()));
  co_await scene.served.say(hex("late"));
  std::array<std::uint8_t, 10> got{};
  EXPECT_TRUE(co_await read_exactly(*peer, got));
  EXPECT_EQ(as_text(got), "early late");
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("hello")));
  peer.reset();
  EXPECT_EQ(co_await scene.served.hear(6), hex("hello"));
}

TEST(Socks5Bind, RepliesTwiceAndRelays) {
  Scene scene(kBind);
  scene.run(&whole_conversation);
  EXPECT_TRUE(scene.served.outcome) << scene.served.outcome.error().text;
  EXPECT_EQ(scene.served.session->bytes.from_a, 10U);
}

TEST(Socks5Bind, ARequestMayComeByteByByte) {
  Scene scene(kBind, {.read_at_most = 1});
  scene.run(&whole_conversation);
  EXPECT_TRUE(scene.served.outcome);
}

Task<> expect_reply(Scene& scene, std::string request, std::string reply) {
  EXPECT_EQ(co_await scene.request(request), reply);
  EXPECT_EQ(co_await scene.served.hear(1), "") << "closed";
}

TEST(Socks5Bind, WhatCannotBeListenedToIsAGeneralFailure) {
  auto busy = TcpListenSocket::bind("127.0.0.1:0").value();
  Scene port_busy(kBind);
  port_busy.run(&expect_reply, "05020001 7f000001" + hex_port(busy.local().port()), "05010001000000000000");
  EXPECT_EQ(port_busy.served.outcome.error().cause, Cause::other);
  Scene bad_name(kBind);
  bad_name.run(&expect_reply, "05020003 0e" + hex("nosuch.invalid") + "5a90", "05010001000000000000");
  Scene other_family(kBind);
  other_family.run(&expect_reply, "05020004 20010db8000000000000000000000001 0015", "05080001000000000000");
}

Task<> expect_first(Scene& scene, std::string request, std::string beginning) {
  EXPECT_EQ(co_await scene.request(std::move(request), beginning.size() / 2), beginning);
}

TEST(Socks5Bind, ThePublicAddressIsToldEvenIfItIsAName) {
  Scene named({.bind = true, .binding = {.public_addr = "gw.example"}});
  named.run(&expect_first, kAnyPort, "050000030a" + hex("gw.example"));
  Scene six({.bind = true, .binding = {.public_addr = "2001:db8::1"}});
  six.run(&expect_first, kAnyPort, "0500000420010db8000000000000000000000001");
}

TEST(Socks5Bind, ThePeerOfTheRfcIsWaitedForAtTheControlAddress) {
  Scene scene(kBind);
  scene.run(&expect_first, "05020001 c0000201 0015", "050000017f000001");
}

Task<> nobody_comes(Scene& scene) {
  TimePoint start = scene.io.loop.now();
  co_await scene.request(kAnyPort);
  EXPECT_EQ(co_await scene.served.hear(11), "05060001000000000000");
  EXPECT_EQ(scene.io.loop.now() - start, 30s);
}

TEST(Socks5Bind, APeerThatDoesNotComeInTimeIsTold) {
  Scene scene({.bind = true, .binding = {.accept_timeout = 30s}});
  scene.run(&nobody_comes);
  EXPECT_EQ(scene.served.outcome.error().cause, Cause::timeout);
}

Task<> client_leaves(Scene& scene) {
  co_await scene.request(kAnyPort);
  scene.served.client->try_shutdown();
  EXPECT_EQ(co_await scene.served.hear(1), "") << "no second reply";
}

TEST(Socks5Bind, AClientThatLeavesEndsTheWait) {
  Scene scene(kBind);
  scene.run(&client_leaves);
  EXPECT_EQ(scene.served.outcome.error().cause, Cause::eof);
}

Task<> try_to_bind(Scene& scene) {
  std::string first = co_await scene.request(kAnyPort);
  if (first.size() < 20) co_return;
  auto peer = co_await connect_to(port_of(first));
  co_await scene.served.hear(10);
  co_await scene.served.say("00");
}

TEST(Socks5Bind, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 2; step < 7; ++step) {
    Scene scene(kBind, {.fail_at = step});
    scene.run(&try_to_bind);
    EXPECT_TRUE(scene.served.ended) << step;
  }
}

}  // namespace
}  // namespace gost::socks5
