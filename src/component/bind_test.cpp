#include "component/bind.hpp"

#include "component/testing/script.hpp"

#include <fcntl.h>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::ScriptedRouter;
using testing::ServedSession;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

/// A connection from a certain address; empty if it is refused.
std::unique_ptr<TcpStream> connect_from(Loop& loop, std::string_view from, const SocketAddress& to) {
  Fd socket(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage native;
  socklen_t length = SocketAddress(ip(from), 0).to_native(native);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&native), length), 0);
  length = to.to_native(native);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&native), length) != 0) return nullptr;
  EXPECT_EQ(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), 0);
  return TcpStream::adopt(loop, std::move(socket), to).value();
}

class Bind : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return io_.loop.run(std::move(task));
  }
  Result<BindSocket> listen(std::string host, std::uint16_t port) {
    return run(listen_for_peer(*served_.session, router_, {std::move(host), port}));
  }
  BindSocket socket_on(std::string_view host, std::optional<IpAddress> only_from = {}) {
    return BindSocket::listen(SocketAddress(ip(host), 0), false, only_from).value();
  }

  Task<> wait(BindSocket socket, Duration limit) {
    peer_ = co_await await_peer(*served_.session, router_, std::move(socket), limit);
    done_ = true;
  }
  Task<> wait_and_relay(BindSocket socket) {
    auto peer = co_await await_peer(*served_.session, router_, std::move(socket), 5min);
    served_.outcome = co_await relay_with_peer(*served_.session, std::move(*peer));
    done_ = true;
  }

  IoContext io_{Loop::Time::simulated};
  ConnectionLoggers loggers_;
  ScriptedRouter router_;
  ServedSession served_{io_, loggers_, {ip("127.0.0.9"), 5000}, {ip("127.0.0.1"), 1080}};
  Result<BoundPeer> peer_ = fail(Cause::other, "nothing yet");
  bool done_ = false;
};

TEST_F(Bind, AnAddressOfThisMachineIsWhereToListen) {
  auto socket = listen("127.0.0.5", 0);
  ASSERT_TRUE(socket) << socket.error().text;
  EXPECT_EQ(socket->local().ip(), ip("127.0.0.5"));
  EXPECT_TRUE(socket->expects(ip("192.0.2.1"))) << "anybody may come";
  auto port = socket->local().port();
  EXPECT_EQ(listen("127.0.0.6", port)->local(), SocketAddress(ip("127.0.0.6"), port));
}

TEST_F(Bind, AnyOtherAddressIsThePeerThatIsExpected) {
  auto socket = listen("192.0.2.1", 21);
  ASSERT_TRUE(socket) << socket.error().text;
  EXPECT_EQ(socket->local().ip(), ip("127.0.0.1")) << "where the client is connected to";
  EXPECT_NE(socket->local().port(), 21);
  EXPECT_TRUE(socket->expects(ip("192.0.2.1")));
  EXPECT_FALSE(socket->expects(ip("192.0.2.2")));
}

TEST_F(Bind, AFamilyIsListenedToAlone) {
  EXPECT_EQ(listen("0.0.0.0", 0)->local().ip(), ip("0.0.0.0"));
  auto six = listen("::", 0);
  ASSERT_TRUE(six) << six.error().text;
  // Connecting to its port over IPv4 could find a listener of another program.
  int only_six = 0;
  socklen_t size = sizeof only_six;
  ASSERT_EQ(::getsockopt(six->fd(), IPPROTO_IPV6, IPV6_V6ONLY, &only_six, &size), 0);
  EXPECT_EQ(only_six, 1);
  auto both = listen("", 0);
  ASSERT_TRUE(both) << both.error().text;
  EXPECT_TRUE(connect_from(io_.loop, "127.0.0.1", {ip("127.0.0.1"), both->local().port()}));
}

TEST_F(Bind, WhatCannotListenIsAGeneralFailure) {
  auto busy = listen("127.0.0.1", 0);
  auto again = listen("127.0.0.1", busy->local().port());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().cause, Cause::other);
  EXPECT_NE(again.error().text.find("address already in use"), std::string::npos) << again.error().text;
  auto nameless = listen("nosuch.invalid", 0);
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error().cause, Cause::other);
  auto elsewhere = listen("2001:db8::1", 21);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().cause, Cause::address_type) << "it cannot connect to an IPv4 address";
}

TEST_F(Bind, ANameIsResolvedFirst) {
  router_.names = {{"here.example", ip("127.0.0.7")}, {"there.example", ip("192.0.2.7")}};
  EXPECT_EQ(listen("here.example", 0)->local().ip(), ip("127.0.0.7"));
  EXPECT_EQ(listen("there.example", 0)->only_from(), ip("192.0.2.7"));
}

TEST_F(Bind, TheClientIsToldTheControlAddressUnlessThereIsAPublicOne) {
  auto socket = socket_on("127.0.0.5");
  auto port = socket.local().port();
  EXPECT_EQ(announced(*served_.session, {}, socket), (Endpoint{"127.0.0.1", port}));
  EXPECT_EQ(announced(*served_.session, {.public_addr = "gw.example"}, socket), (Endpoint{"gw.example", port}));
}

Task<> one_peer(IoContext& io, ServedSession& served, SocketAddress to, bool& done, Task<> wait) {
  TaskGroup group(co_await this_scope());
  group.spawn(std::move(wait));
  co_await served.say("6561726c79");
  co_await ServedSession::settle();
  EXPECT_FALSE(done);
  auto peer = connect_from(io.loop, "127.0.0.1", to);
  co_await ServedSession::settle();
  EXPECT_FALSE(connect_from(io.loop, "127.0.0.1", to)) << "there is room for one peer";
  std::array<std::uint8_t, 5> early{};
  EXPECT_TRUE(co_await read_exactly(*peer, early));
  EXPECT_EQ(as_text(early), "early");
  EXPECT_TRUE(co_await write_all(*peer, as_bytes("hi")));
  peer->try_shutdown();
  EXPECT_EQ(co_await served.hear(3), "6869") << "and then the end";
  co_await served.say("6c617465");
  std::array<std::uint8_t, 4> late{};
  EXPECT_TRUE(co_await read_exactly(*peer, late)) << "the other direction goes on after a half-close";
  peer.reset();
  served.client.reset();
  co_await group.join();
  EXPECT_TRUE(done);
}

TEST_F(Bind, OnePeerIsRelayedWithWhatTheClientSentEarly) {
  auto socket = socket_on("127.0.0.1");
  SocketAddress to = socket.local();
  run(one_peer(io_, served_, to, done_, wait_and_relay(std::move(socket))));
  EXPECT_EQ(served_.session->bytes.from_a, 9U);
  EXPECT_EQ(served_.session->bytes.from_b, 2U);
}

Task<> much_early(IoContext& io, ServedSession& served, SocketAddress to, Task<> wait) {
  constexpr std::size_t kMuch = 60'000;  // more than is kept, less than the pipe holds
  TaskGroup group(co_await this_scope());
  group.spawn(std::move(wait));
  std::vector<std::uint8_t> sent(kMuch);
  for (std::size_t i = 0; i < kMuch; ++i) sent[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  EXPECT_TRUE(co_await write_all(*served.client, sent));
  co_await ServedSession::settle();
  auto peer = connect_from(io.loop, "127.0.0.1", to);
  std::vector<std::uint8_t> got(kMuch);
  EXPECT_TRUE(co_await read_exactly(*peer, got));
  EXPECT_TRUE(got == sent);
  peer.reset();
  served.client.reset();
  co_await group.join();
}

TEST_F(Bind, EarlyBytesBeyondTheLimitFollowInOrder) {
  auto socket = socket_on("127.0.0.1");
  SocketAddress to = socket.local();
  run(much_early(io_, served_, to, wait_and_relay(std::move(socket))));
}

Task<> strangers_first(IoContext& io, SocketAddress to, bool& done, Task<> wait) {
  TaskGroup group(co_await this_scope());
  group.spawn(std::move(wait));
  for (std::string_view stranger : {"127.0.0.2", "127.0.0.3"}) {
    auto stream = connect_from(io.loop, stranger, to);
    std::array<std::uint8_t, 1> byte{};
    auto got = co_await read_some(*stream, byte);
    EXPECT_TRUE(!got || *got == 0) << "turned away";
    EXPECT_FALSE(done);
  }
  auto expected = connect_from(io.loop, "127.0.0.4", to);
  co_await group.join();
}

TEST_F(Bind, OnlyTheExpectedPeerIsLetIn) {
  auto socket = socket_on("127.0.0.1", ip("127.0.0.4"));
  SocketAddress to = socket.local();
  run(strangers_first(io_, to, done_, wait(std::move(socket), 5min)));
  ASSERT_TRUE(peer_) << peer_.error().text;
  EXPECT_EQ(peer_->stream->remote().ip(), ip("127.0.0.4"));
}

TEST_F(Bind, APeerThatARuleForbidsIsTurnedAway) {
  router_.forbidden = {"127.0.0.2", "127.0.0.3"};
  auto socket = socket_on("127.0.0.1");
  SocketAddress to = socket.local();
  run(strangers_first(io_, to, done_, wait(std::move(socket), 5min)));
  ASSERT_TRUE(peer_) << peer_.error().text;
  EXPECT_EQ(peer_->stream->remote().ip(), ip("127.0.0.4"));
}

TEST_F(Bind, TheWaitHasADeadline) {
  TimePoint start = io_.loop.now();
  run(wait(socket_on("127.0.0.1"), 5min));
  ASSERT_FALSE(peer_);
  EXPECT_EQ(peer_.error().cause, Cause::timeout);
  EXPECT_EQ(io_.loop.now() - start, 5min);
}

Task<> client_goes(ServedSession& served, bool half, Task<> wait) {
  TaskGroup group(co_await this_scope());
  group.spawn(std::move(wait));
  co_await served.say("00");
  co_await ServedSession::settle();
  if (half) {
    served.client->try_shutdown();
  } else {
    served.client->abort();
    served.client.reset();
  }
  co_await group.join();
}

TEST_F(Bind, TheEndOfTheClientClosesTheSocket) {
  auto socket = socket_on("127.0.0.1");
  SocketAddress to = socket.local();
  TimePoint start = io_.loop.now();
  run(client_goes(served_, true, wait(std::move(socket), 5min)));
  ASSERT_FALSE(peer_);
  EXPECT_EQ(peer_.error().cause, Cause::eof);
  EXPECT_EQ(io_.loop.now(), start) << "at once";
  EXPECT_FALSE(connect_from(io_.loop, "127.0.0.1", to));
}

TEST_F(Bind, ABrokenClientClosesTheSocket) {
  run(client_goes(served_, false, wait(socket_on("127.0.0.1"), 5min)));
  ASSERT_FALSE(peer_);
  EXPECT_EQ(peer_.error().cause, Cause::reset);
}

}  // namespace
}  // namespace gost
