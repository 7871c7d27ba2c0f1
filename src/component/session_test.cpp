#include "component/session.hpp"

#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gost {
namespace {

/// A server that answers "no" to a client that has sent more than was read.
Task<> refuse_early(TcpListenSocket& listener) {
  auto client = (co_await connect_tcp(listener.local())).value();
  auto accepted = try_accept(listener.fd()).value();
  auto server = TcpStream::adopt((co_await this_scope()).loop(), std::move(accepted.socket), accepted.remote).value();
  EXPECT_TRUE(co_await write_all(*client, as_bytes("request and payload")));
  std::array<std::uint8_t, 7> request{};
  EXPECT_TRUE(co_await read_exactly(*server, request));
  EXPECT_TRUE(co_await write_all(*server, as_bytes("no")));

  auto finish = [](std::unique_ptr<TcpStream> stream) -> Task<> { co_await drop_unread(*stream); };
  TaskGroup group(co_await this_scope());
  group.spawn(finish(std::move(server)));
  std::array<std::uint8_t, 8> answer{};
  EXPECT_EQ((co_await read_some(*client, answer)).value(), 2U);
  EXPECT_EQ((co_await read_some(*client, answer)).value(), 0U) << "an orderly end, not a reset";
  client.reset();
  co_await group.join();
}

TEST(Session, ARefusalIsReadBeforeTheConnectionGoes) {
  Loop loop;
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  loop.run(refuse_early(listener));
}

}  // namespace
}  // namespace gost
