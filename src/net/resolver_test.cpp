#include "net/resolver.hpp"

#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <tuple>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// A name server on loopback, over UDP and TCP. It knows known.test and big.test with both families and says "no such
/// name" to any other; names that begin with "silent" get no answer; big.test fits only into TCP.
class NameServer {
 public:
  explicit NameServer(Loop& loop) : tcp_(TcpListenSocket::bind("127.0.0.1:0").value()) {
    port = tcp_.local().port();
    servers = "127.0.0.1:" + std::to_string(port);
    udp_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    socklen_t size = tcp_.local().to_native(address);
    EXPECT_EQ(::bind(udp_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_TRUE(udp_watch_.start(loop, udp_.get()));
    EXPECT_TRUE(tcp_watch_.start(loop, tcp_.fd(), IoWatch::Kind::acceptor));
  }

  Task<> serve_udp() {
    for (;;) {
      std::array<std::uint8_t, 1500> query{};
      sockaddr_in from{};
      socklen_t length = sizeof from;
      ssize_t got =
          ::recvfrom(udp_.get(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0) {
        udp_watch_.not_readable();
        if (co_await until_ready(udp_watch_, Interest::read) != Outcome::ready) co_return;
        continue;
      }
      ++queries;
      auto reply = answer(Bytes(query).first(static_cast<std::size_t>(got)), false);
      if (!reply.empty())
        ::sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  Task<> serve_tcp() {
    Loop& loop = (co_await this_scope()).loop();
    for (;;) {
      auto accepted = try_accept(tcp_.fd());
      if (!accepted) {
        tcp_watch_.not_readable();
        if (co_await until_ready(tcp_watch_, Interest::read) != Outcome::ready) co_return;
        continue;
      }
      auto stream = TcpStream::adopt(loop, std::move(accepted->socket), accepted->remote).value();
      std::array<std::uint8_t, 2> size{};
      if (!co_await read_exactly(*stream, size)) continue;
      std::vector<std::uint8_t> query(static_cast<std::size_t>(size[0] << 8 | size[1]));
      if (!co_await read_exactly(*stream, query)) continue;
      auto reply = answer(query, true);
      const std::array<std::uint8_t, 2> prefix{static_cast<std::uint8_t>(reply.size() >> 8),
                                               static_cast<std::uint8_t>(reply.size())};
      reply.insert(reply.begin(), prefix.begin(), prefix.end());
      std::ignore = co_await write_all(*stream, reply);
      ++tcp_answers;
    }
  }

  std::string servers;
  std::uint16_t port = 0;
  int queries = 0;
  int tcp_answers = 0;

 private:
  static std::vector<std::uint8_t> answer(Bytes query, bool over_tcp) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      name += std::string(as_text(query.subspan(at + 1, query[at]))) + ".";
      at += query[at] + 1U;
    }
    if (name.starts_with("silent")) return {};
    bool six = query[at + 2] == 28;
    bool truncated = name == "big.test." && !over_tcp;
    bool known = name == "known.test." || (name == "big.test." && over_tcp);
    std::vector<std::uint8_t> reply(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(at + 5));
    const std::array<std::uint8_t, 10> header{static_cast<std::uint8_t>(truncated ? 0x83 : 0x81),
                                              static_cast<std::uint8_t>(known || truncated ? 0x80 : 0x83),
                                              0,
                                              1,
                                              0,
                                              static_cast<std::uint8_t>(known ? 1 : 0),
                                              0,
                                              0,
                                              0,
                                              0};
    std::copy(header.begin(), header.end(), reply.begin() + 2);
    if (!known) return reply;
    const std::vector<std::uint8_t> record{0xc0, 12, 0, static_cast<std::uint8_t>(six ? 28 : 1), 0, 1, 0, 0,
                                           0,    60, 0, static_cast<std::uint8_t>(six ? 16 : 4)};
    reply.insert(reply.end(), record.begin(), record.end());
    if (six) {
      reply.insert(reply.end(), 15, 0);
      reply.push_back(7);
    } else {
      reply.insert(reply.end(), {10, 0, 0, 7});
    }
    return reply;
  }

  TcpListenSocket tcp_;
  Fd udp_;
  IoWatch udp_watch_;
  IoWatch tcp_watch_;
};

template <class Test>
void with_name_server(Loop::Time time, Test test) {
  Loop loop(time);
  loop.run([](Test& body) -> Task<> {
    Scope& scope = co_await this_scope();
    NameServer server(scope.loop());
    TaskGroup group(scope);
    group.spawn(server.serve_udp());
    group.spawn(server.serve_tcp());
    Resolver resolver(scope.loop(), {.servers = server.servers, .timeout = 500ms, .tries = 2});
    co_await body(resolver, server);
    co_await resolver.close();
    group.stop();
    co_await group.join();
  }(test));
}

TEST(Resolver, AsksForBothFamilies) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer&) -> Task<> {
    auto four = co_await resolver.lookup("known.test", Family::v4);
    auto six = co_await resolver.lookup("known.test", Family::v6);
    EXPECT_TRUE(four) << four.error().text;
    EXPECT_TRUE(six) << six.error().text;
    EXPECT_EQ(four->front().to_string(), "10.0.0.7");
    EXPECT_EQ(six->front().to_string(), "::7");
  });
}

TEST(Resolver, AnUnknownNameIsHostUnreachable) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer&) -> Task<> {
    auto result = co_await resolver.lookup("unknown.test.", Family::v4);
    EXPECT_EQ(result.error().text, "lookup unknown.test.: no such host");
    EXPECT_EQ(result.error().cause, Cause::host_unreachable);
  });
}

TEST(Resolver, WhatIsNoNameIsNotLookedUp) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer& server) -> Task<> {
    for (const std::string& name :
         {std::string("known.test\0.other", 17), std::string("a b"), std::string("a\n"), std::string(254, 'a')})
      EXPECT_EQ((co_await resolver.lookup(name, Family::v4)).error().cause, Cause::host_unreachable);
    EXPECT_EQ(server.queries, 0);
  });
}

TEST(Resolver, LocalhostNeedsNoServer) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer& server) -> Task<> {
    EXPECT_EQ((co_await resolver.lookup("LocalHost", Family::v4))->front().to_string(), "127.0.0.1");
    EXPECT_EQ((co_await resolver.lookup("a.localhost.", Family::v6))->front().to_string(), "::1");
    EXPECT_EQ(server.queries, 0);
  });
}

TEST(Resolver, ACanceledLookupIsForgottenAndOthersGoOn) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer&) -> Task<> {
    auto silent = co_await with_deadline(20ms, resolver.lookup("silent.test.", Family::v4));
    EXPECT_EQ(silent.error().cause, Cause::timeout);
    EXPECT_TRUE(co_await resolver.lookup("known.test.", Family::v4));
  });
}

TEST(Resolver, AnAnswerThatNeedsTcpComesOverTcp) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer& server) -> Task<> {
    auto four = co_await resolver.lookup("big.test.", Family::v4);
    EXPECT_TRUE(four) << four.error().text;
    EXPECT_EQ(server.tcp_answers, 1);
  });
}

// Many queries run out of time at once and move to the second server together.
TEST(Resolver, ASilentFirstServerCostsTimeOnly) {
  with_name_server(Loop::Time::real, [](Resolver&, NameServer& server) -> Task<> {
    Scope& scope = co_await this_scope();
    Fd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    socklen_t size = SocketAddress(IpAddress::v4({127, 0, 0, 1}), 0).to_native(address);
    EXPECT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    size = sizeof address;
    ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size);
    std::string first = SocketAddress::from_native(address).to_string();
    Resolver both(scope.loop(), {.servers = first + "," + server.servers, .timeout = 100ms, .tries = 3});
    int found = 0;
    auto ask = [](Resolver& resolver, Family family, int& count) -> Task<> {
      if (co_await resolver.lookup("known.test.", family)) ++count;
    };
    TaskGroup group(scope);
    for (int i = 0; i < 40; ++i) group.spawn(ask(both, i % 2 == 0 ? Family::v4 : Family::v6, found));
    co_await group.join();
    EXPECT_EQ(found, 40);
    co_await both.close();
  });
}

TEST(Resolver, ASilentServerEndsInATimeout) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer& server) -> Task<> {
    auto silent = co_await resolver.lookup("silent.test.", Family::v4);
    EXPECT_EQ(silent.error().cause, Cause::timeout) << silent.error().text;
    EXPECT_EQ(server.queries, 2);
  });
}

}  // namespace
}  // namespace gost
