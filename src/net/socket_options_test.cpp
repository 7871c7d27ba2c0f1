#include "net/socket_options.hpp"

#include "net/fd.hpp"
#include "net/tcp.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

namespace gost {
namespace {

constexpr const char* kNoSuch = "there is no such device or address";

Fd make_socket(int family, int type = SOCK_STREAM) {
  return Fd(::socket(family, type | SOCK_CLOEXEC, 0));
}

/// Where a socket with `options` is bound.
Result<IpAddress> bound_with(int family, const SocketOptions& options, int type = SOCK_STREAM) {
  Fd socket = make_socket(family, type);
  if (auto applied = apply_socket_options(socket.get(), family, options); !applied) return fail(applied.error());
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&native), &length);
  return SocketAddress::from_native(native).ip();
}

std::string text_of(const Result<IpAddress>& result) {
  return result ? result->to_string() : result.error().text;
}

std::string device_of(int fd) {
  char name[64] = {};
  socklen_t length = sizeof name;
  ::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length);
  return name;
}

TEST(SocketOptions, WithoutAnyTheSocketStaysAsItIs) {
  EXPECT_EQ(text_of(bound_with(AF_INET, {})), "0.0.0.0");
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = " , "})), "0.0.0.0");
}

TEST(SocketOptions, AnAddressIsWhereTheSocketLeavesFrom) {
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "127.0.0.2"})), "127.0.0.2");
  EXPECT_EQ(text_of(bound_with(AF_INET6, {.interface = "::1"})), "::1");
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "127.0.0.2"}, SOCK_DGRAM)), "127.0.0.2");
}

TEST(SocketOptions, TheFirstUsableEntryCounts) {
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "nosuch0, 127.0.0.3,127.0.0.2"})), "127.0.0.3");
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "::1,127.0.0.2"})), "127.0.0.2") << "of the other family";
  EXPECT_EQ(text_of(bound_with(AF_INET6, {.interface = "127.0.0.2,::1"})), "::1");
}

TEST(SocketOptions, AStrictEntryForbidsTheOnesBehindIt) {
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "nosuch0!,127.0.0.2"})),
            std::string("interface nosuch0: ") + kNoSuch);
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "127.0.0.2!,127.0.0.3"})), "127.0.0.2");
}

TEST(SocketOptions, AnErrorNamesTheEntryAndSaysWhy) {
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "nosuch0"})), std::string("interface nosuch0: ") + kNoSuch);
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "a-name-that-no-device-can-have"})),
            std::string("interface a-name-that-no-device-can-have: ") + kNoSuch);
  // TEST-NET-1 (RFC 5737) is nobody's.
  EXPECT_EQ(text_of(bound_with(AF_INET, {.interface = "192.0.2.1"})),
            "interface 192.0.2.1: bind: cannot assign requested address");
  auto other_family = bound_with(AF_INET, {.interface = "::1"});
  ASSERT_FALSE(other_family);
  EXPECT_EQ(other_family.error().cause, Cause::address_type);
}

TEST(SocketOptions, ADeviceCarriesAllThatTheSocketSends) {
  Fd socket = make_socket(AF_INET);
  auto applied = apply_socket_options(socket.get(), AF_INET, {.interface = "lo"});
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(device_of(socket.get()), "lo");
}

TEST(SocketOptions, AMarkIsSetOrItsLackOfPermissionTold) {
  Fd socket = make_socket(AF_INET);
  auto applied = apply_socket_options(socket.get(), AF_INET, {.mark = 7});
  std::uint32_t mark = 0;
  socklen_t length = sizeof mark;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, &length);
  EXPECT_EQ(mark, applied ? 7U : 0U);
  if (!applied) EXPECT_EQ(applied.error().text, "so_mark 7: operation not permitted");
}

TEST(SocketOptions, ATcpConnectionLeavesFromTheChosenAddress) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  auto connected = loop.run(connect_tcp(listener.local(), {.interface = "127.0.0.2"}));
  ASSERT_TRUE(connected) << connected.error().text;
  auto accepted = try_accept(listener.fd());
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->remote.ip().to_string(), "127.0.0.2");
}

TEST(SocketOptions, ATcpConnectionThatCannotLeaveFromThereIsNotMade) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  auto connected = loop.run(connect_tcp(listener.local(), {.interface = "nosuch0"}));
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().text,
            "dial tcp " + listener.local().to_string() + ": interface nosuch0: " + std::string(kNoSuch));
  EXPECT_EQ(try_accept(listener.fd()).error(), EAGAIN);
}

}  // namespace
}  // namespace gost
