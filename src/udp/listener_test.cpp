#include "udp/listener.hpp"

#include "runtime/task_group.hpp"
#include "udp/testing/kept_sessions.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::receive_texts;
using testing::send_to;
using Texts = std::vector<std::string>;

struct Fixture {
  /// Runs a listener on `address` beside the test.
  void run(const std::string& address, UdpListenerOptions options, std::function<Task<>(Fixture&)> test) {
    listener.emplace(address, options);
    ASSERT_TRUE(listener->bind(1));
    listener->seat({{&io, &sink}});
    io.loop.run([](Fixture& fixture, std::function<Task<>(Fixture&)> body) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(fixture.listener->accept(0));
      co_await body(fixture);
      group.stop();
      co_await group.join();
      fixture.listener->close();
      fixture.sink.sessions.clear();
    }(*this, std::move(test)));
  }

  std::unique_ptr<Datagram> client(const IpAddress& ip = IpAddress::v4({127, 0, 0, 1})) {
    return UdpSocket::connect(io.loop, SocketAddress(ip, listener->address().port())).value();
  }
  Task<> wait_for_sessions(std::size_t count) {
    while (sink.sessions.size() < count) co_await yield();
  }
  Task<Texts> read(Datagram& end) {
    std::ignore = co_await end.until(Interest::read);
    co_return receive_texts(end, batch);
  }

  IoContext io;
  testing::KeptSessions sink;
  std::optional<UdpListener> listener;
  DatagramBatch batch;
};

TEST(UdpListener, ClientsAreSessionsAndGetTheirAnswers) {
  Fixture fixture;
  fixture.run("127.0.0.1:0", {}, [](Fixture& f) -> Task<> {
    auto one = f.client();
    auto other = f.client();
    send_to(*one, {}, "one");
    co_await f.wait_for_sessions(1);
    send_to(*other, {}, "other");
    co_await f.wait_for_sessions(2);
    EXPECT_EQ(f.sink.sessions[0].peer, one->local());
    EXPECT_EQ(f.sink.sessions[0].local, f.listener->address());
    EXPECT_EQ(co_await f.read(*f.sink.sessions[0].datagrams), Texts{"one"});
    EXPECT_EQ(co_await f.read(*f.sink.sessions[1].datagrams), Texts{"other"});
    send_to(*f.sink.sessions[0].datagrams, {}, "to one");
    EXPECT_EQ(co_await f.read(*one), Texts{"to one"});
    EXPECT_EQ(other->try_receive(f.batch).status, IoResult::Status::would_block);
  });
}

TEST(UdpListener, WithoutAHostBothFamiliesAreServed) {
  Fixture fixture;
  fixture.run(":0", {}, [](Fixture& f) -> Task<> {
    std::array<std::uint8_t, 16> loopback{};
    loopback.back() = 1;
    for (const IpAddress& ip : {IpAddress::v4({127, 0, 0, 1}), IpAddress::v6(loopback)}) {
      auto client = f.client(ip);
      send_to(*client, {}, "x");
      co_await f.wait_for_sessions(1);
      EXPECT_EQ(f.sink.sessions[0].peer, client->local());
      send_to(*f.sink.sessions[0].datagrams, {}, "y");
      EXPECT_EQ(co_await f.read(*client), Texts{"y"});
      f.sink.sessions.clear();
    }
  });
}

TEST(UdpListener, TheOptionsAreThoseOfTheSessions) {
  Fixture fixture;
  UdpListenerOptions options{.demux = {.longest = 4}, .max_sessions = 1};
  fixture.run("127.0.0.1:0", options, [](Fixture& f) -> Task<> {
    auto client = f.client();
    auto late = f.client();
    send_to(*client, {}, "1234");
    send_to(*client, {}, "12345");
    co_await f.wait_for_sessions(1);
    while (f.sink.warnings.empty()) co_await yield();
    EXPECT_EQ(f.sink.sessions[0].datagrams->discarded(), 1U);
    send_to(*late, {}, "x");
    while (f.sink.failures.empty()) co_await yield();
    EXPECT_EQ(f.sink.failures, Texts{"dropped a datagram of a new client: 1 sessions are open (option maxSessions)"});
  });
}

TEST(UdpListener, AnAddressInUseIsAnErrorForAnyNumberOfLoops) {
  for (std::size_t loops : {1U, 2U}) {
    UdpListener first("127.0.0.1:0", {});
    ASSERT_TRUE(first.bind(loops));
    std::string address = first.address().to_string();
    UdpListener second(address, {});
    auto bound = second.bind(2);
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().text, "listen udp " + address + ": bind: address already in use");
    first.close();
    EXPECT_TRUE(second.bind(2)) << "a closed listener gives its address back";
  }
}

TEST(UdpListener, AnAddressThatMakesNoSenseIsAnError) {
  UdpListener listener("53", {});
  EXPECT_EQ(listener.bind(1).error().text, "listen udp: address 53: missing port in address");
}

}  // namespace
}  // namespace gost
