#include "route/direct_router.hpp"

#include "net/tcp.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;

Task<Result<std::unique_ptr<Stream>>> dial_and_close(const Router& router, IoContext& io, Endpoint target) {
  auto stream = co_await router.dial(io, std::move(target));
  co_await io.resolver.close();
  co_return stream;
}

TEST(DirectRouter, ConnectsToNamesLiteralsAndTheEmptyHost) {
  IoContext io;
  DirectRouter router({});
  auto listener = TcpListenSocket::bind("127.0.0.1:0").value();
  for (auto host : {"127.0.0.1", "localhost", "", "0.0.0.0", "::ffff:127.0.0.1"}) {
    auto stream = io.loop.run(dial_and_close(router, io, {host, listener.local().port()}));
    EXPECT_TRUE(stream) << host << ": " << stream.error().text;
  }
}

TEST(DirectRouter, ARefusalKeepsItsCause) {
  IoContext io;
  DirectRouter router({.timeout = 5s, .retries = 2});
  auto port = TcpListenSocket::bind("127.0.0.1:0").value().local().port();
  auto stream = io.loop.run(dial_and_close(router, io, {"127.0.0.1", port}));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().cause, Cause::refused);
}

}  // namespace
}  // namespace gost
