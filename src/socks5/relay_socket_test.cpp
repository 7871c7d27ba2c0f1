#include "socks5/relay_socket.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace gost::socks5 {
namespace {

const IpAddress kLoopback = IpAddress::v4({127, 0, 0, 1});

/// The first of some consecutive ports that are free now.
std::uint16_t free_range(Loop& loop, std::uint16_t count) {
  for (std::uint16_t first = 40'000; first < 60'000; first = static_cast<std::uint16_t>(first + count)) {
    std::vector<std::unique_ptr<Datagram>> sockets;
    for (std::uint16_t i = 0; i < count; ++i) {
      auto socket = bind_datagrams(loop, {kLoopback, static_cast<std::uint16_t>(first + i)}, false);
      if (!socket) break;
      sockets.push_back(std::move(*socket));
    }
    if (sockets.size() == count) return first;
  }
  return 0;
}

TEST(RelaySocket, TheWholeRangeIsUsedAndNothingElse) {
  Loop loop;
  const std::uint16_t first = free_range(loop, 5);
  const auto last = static_cast<std::uint16_t>(first + 4);
  std::set<std::uint16_t> ports;
  std::vector<std::unique_ptr<Datagram>> sockets;
  for (int i = 0; i < 5; ++i) {
    auto socket = open_relay_socket(loop, kLoopback, first, last);
    ASSERT_TRUE(socket) << i << ": " << socket.error().text;
    ports.insert((*socket)->local().port());
    sockets.push_back(std::move(*socket));
  }
  EXPECT_EQ(ports.size(), 5U);
  EXPECT_EQ(*ports.begin(), first);
  EXPECT_EQ(*ports.rbegin(), last);
  auto none = open_relay_socket(loop, kLoopback, first, last);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text.find("address already in use"), std::string::npos) << none.error().text;
}

TEST(RelaySocket, WithoutARangeTheKernelChooses) {
  Loop loop;
  auto socket = open_relay_socket(loop, kLoopback, 0, 40'000);
  ASSERT_TRUE(socket);
  EXPECT_NE((*socket)->local().port(), 0);
  EXPECT_EQ((*socket)->local().ip(), kLoopback);
}

TEST(RelaySocket, AMaximumBelowTheMinimumMeansOnePort) {
  Loop loop;
  const std::uint16_t port = free_range(loop, 1);
  EXPECT_EQ((*open_relay_socket(loop, kLoopback, port, 0))->local().port(), port);
}

TEST(RelaySocket, TheRangeMayEndAtTheLastPort) {
  Loop loop;
  auto socket = open_relay_socket(loop, kLoopback, 65'500, 65'535);
  ASSERT_TRUE(socket) << socket.error().text;
  EXPECT_GE((*socket)->local().port(), 65'500);
}

TEST(RelaySocket, AnAddressOfAnotherMachineFails) {
  Loop loop;
  EXPECT_FALSE(open_relay_socket(loop, IpAddress::v4({192, 0, 2, 1}), 40'000, 40'100));
}

}  // namespace
}  // namespace gost::socks5
