#include "net/resolver.hpp"

#include "net/fd.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// A name server on loopback that knows one name, with both families, and says "no such name" to any other; a name
/// that begins with "silent" gets no answer.
class NameServer {
 public:
  explicit NameServer(Loop& loop) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    servers = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    EXPECT_TRUE(watch_.start(loop, socket_.get()));
  }

  Task<> serve() {
    for (;;) {
      std::array<std::uint8_t, 1500> query{};
      sockaddr_in from{};
      socklen_t length = sizeof from;
      ssize_t got =
          ::recvfrom(socket_.get(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0) {
        watch_.not_readable();
        if (co_await until_ready(watch_, Interest::read) != Outcome::ready) co_return;
        continue;
      }
      ++queries;
      auto reply = answer(Bytes(query).first(static_cast<std::size_t>(got)));
      if (!reply.empty())
        ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  std::string servers;
  int queries = 0;

 private:
  static std::vector<std::uint8_t> answer(Bytes query) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      name += std::string(as_text(query.subspan(at + 1, query[at]))) + ".";
      at += query[at] + 1U;
    }
    if (name.starts_with("silent")) return {};
    bool six = query[at + 2] == 28;
    bool known = name == "known.test.";
    std::vector<std::uint8_t> reply(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(at + 5));
    const std::array<std::uint8_t, 10> header{0x81, static_cast<std::uint8_t>(known ? 0x80 : 0x83),
                                              0,    1,
                                              0,    static_cast<std::uint8_t>(known ? 1 : 0),
                                              0,    0,
                                              0,    0};
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

  Fd socket_;
  IoWatch watch_;
};

template <class Test>
void with_name_server(Loop::Time time, Test test) {
  Loop loop(time);
  loop.run([](Test& body) -> Task<> {
    Scope& scope = co_await this_scope();
    NameServer server(scope.loop());
    TaskGroup group(scope);
    group.spawn(server.serve());
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

TEST(Resolver, ASilentServerEndsInATimeout) {
  with_name_server(Loop::Time::real, [](Resolver& resolver, NameServer& server) -> Task<> {
    auto silent = co_await resolver.lookup("silent.test.", Family::v4);
    EXPECT_EQ(silent.error().cause, Cause::timeout) << silent.error().text;
    EXPECT_EQ(server.queries, 2);
  });
}

}  // namespace
}  // namespace gost
