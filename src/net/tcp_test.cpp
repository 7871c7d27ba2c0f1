#include "net/tcp.hpp"

#include "net/stream_io.hpp"

#include <gtest/gtest.h>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

namespace gost {
namespace {

using namespace std::chrono_literals;

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

void expect_gost_defaults(int fd) {
  EXPECT_NE(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 15);
  EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 9);
}

TEST(Tcp, ConnectsAcceptsAndBothEndsHaveGostsOptions) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  loop.run([](TcpListenSocket& socket) -> Task<> {
    auto stream = co_await connect_tcp(socket.local());
    EXPECT_TRUE(stream) << stream.error().text;
    auto accepted = try_accept(socket.fd());
    EXPECT_TRUE(accepted);
    EXPECT_EQ(accepted->remote, (*stream)->local());
    expect_gost_defaults((*stream)->kernel(Interest::read)->fd());
    expect_gost_defaults(accepted->socket.get());
    auto peer =
        TcpStream::adopt((co_await this_scope()).loop(), std::move(accepted->socket), accepted->remote).value();
    EXPECT_TRUE(co_await write_all(**stream, as_bytes("ping")));
    std::array<std::uint8_t, 4> got{};
    EXPECT_TRUE(co_await read_exactly(*peer, got));
    EXPECT_EQ(as_text(got), "ping");
    EXPECT_EQ(try_accept(socket.fd()).error(), EAGAIN);
  }(listener));
}

TEST(Tcp, TheEndIsSeenAlsoWhenItCameWithTheLastBytes) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  loop.run([](TcpListenSocket& socket) -> Task<> {
    auto stream = (co_await connect_tcp(socket.local())).value();
    auto accepted = try_accept(socket.fd()).value();
    auto peer = TcpStream::adopt((co_await this_scope()).loop(), std::move(accepted.socket), accepted.remote).value();
    EXPECT_TRUE(co_await write_all(*peer, as_bytes("bye")));
    peer.reset();
    std::array<std::uint8_t, 64> buffer{};
    EXPECT_EQ((co_await read_some(*stream, buffer)).value(), 3U);
    EXPECT_EQ((co_await read_some(*stream, buffer)).value(), 0U);
  }(listener));
}

TEST(Tcp, ARefusedConnectionIsWordedAsGoWordsIt) {
  Loop loop;
  SocketAddress nobody = TcpListenSocket::bind("127.0.0.1:0").value().local();
  auto stream = loop.run(connect_tcp(nobody));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().text, "dial tcp " + nobody.to_string() + ": connect: connection refused");
  EXPECT_EQ(stream.error().cause, Cause::refused);
}

TEST(Tcp, AnUnspecifiedTargetIsTheLocalHost) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  EXPECT_TRUE(loop.run(connect_tcp(SocketAddress(IpAddress(), listener.local().port()))));
}

TEST(TcpListenSocket, MeansWhatGostMeansByAnAddress) {
  EXPECT_EQ(TcpListenSocket::bind(":0").value().local().ip().to_string(), "::");
  EXPECT_EQ(TcpListenSocket::bind("0.0.0.0:0").value().local().ip().to_string(), "0.0.0.0");
  EXPECT_EQ(TcpListenSocket::bind("[::1]:0").value().local().ip().to_string(), "::1");
  EXPECT_EQ(TcpListenSocket::bind("localhost:0").value().local().ip().to_string(), "127.0.0.1");
  EXPECT_EQ(TcpListenSocket::bind("8080").error().text, "listen tcp: address 8080: missing port in address");
  auto first = TcpListenSocket::bind("127.0.0.1:0").value();
  EXPECT_EQ(TcpListenSocket::bind(first.local().to_string()).error().text,
            "listen tcp4 " + first.local().to_string() + ": bind: address already in use");
}

TEST(TcpListenSocket, ADualStackSocketServesIPv4) {
  Loop loop;
  auto listener = TcpListenSocket::bind(":0").value();
  ASSERT_TRUE(loop.run(connect_tcp(SocketAddress(IpAddress::v4({127, 0, 0, 1}), listener.local().port()))));
  EXPECT_EQ(try_accept(listener.fd()).value().remote.ip().to_string(), "127.0.0.1");
}

}  // namespace
}  // namespace gost
