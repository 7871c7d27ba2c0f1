#include "service/service.hpp"

#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "net/udp.hpp"
#include "runtime/task_group.hpp"
#include "tcp/listener.hpp"
#include "udp/listener.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// Sends back what it gets until the client ends.
class EchoHandler final : public Handler {
 public:
  Task<Result<>> handle(Session& session) const override {
    session.handshake.leave();
    std::array<std::uint8_t, 256> buffer{};
    for (;;) {
      auto got = co_await read_some(*session.client, buffer);
      if (!got) co_return fail(got.error());
      if (*got == 0) co_return {};
      if (auto sent = co_await write_all(*session.client, Bytes(buffer).first(*got)); !sent) co_return sent;
    }
  }
};

/// Reads one byte and never leaves the handshake.
class SilentHandler final : public Handler {
 public:
  Task<Result<>> handle(Session& session) const override {
    std::array<std::uint8_t, 1> byte{};
    co_return co_await read_exactly(*session.client, byte);
  }
};

struct Running {
  explicit Running(std::shared_ptr<const Handler> handler, std::size_t max_handshakes = 1024) : workers(2) {
    auto listener = std::make_unique<TcpListener>("127.0.0.1:0");
    tcp = listener.get();
    service = std::make_unique<Service>(ServiceParts{.name = "s",
                                                     .listener_type = "tcp",
                                                     .handler_type = "test",
                                                     .listener = std::move(listener),
                                                     .handler = std::move(handler),
                                                     .max_handshakes = max_handshakes},
                                        Logger(), sids);
    EXPECT_TRUE(service->bind(workers));
    workers.start();
  }
  SidSource sids;
  Workers workers;
  TcpListener* tcp;
  std::unique_ptr<Service> service;
};

Task<std::unique_ptr<TcpStream>> client_of(Running& running) {
  co_return (co_await connect_tcp(running.tcp->address())).value();
}

Task<> expect_echo(Stream& stream) {
  std::array<std::uint8_t, 4> got{};
  EXPECT_TRUE(co_await write_all(stream, as_bytes("ping")));
  EXPECT_TRUE(co_await read_exactly(stream, got));
  EXPECT_EQ(as_text(got), "ping");
}

TEST(Service, ServesOnAllLoopsAndDrainsWhenItStops) {
  Running running(std::make_shared<EchoHandler>());
  running.workers[0].loop.run([](Running& r) -> Task<> {
    co_await r.service->start();
    std::vector<std::unique_ptr<TcpStream>> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(co_await client_of(r));
    for (auto& client : clients) co_await expect_echo(*client);
    EXPECT_EQ(r.workers[0].connections.load(), 2);
    EXPECT_EQ(r.workers[1].connections.load(), 2);
    SocketAddress address = r.tcp->address();
    co_await r.service->stop_accepting();
    EXPECT_FALSE(co_await connect_tcp(address)) << "the address is free again";
    TaskGroup stopping(co_await this_scope());
    stopping.spawn(r.service->finish(1h));
    for (auto& client : clients) co_await expect_echo(*client);
    EXPECT_EQ(stopping.running(), 1U) << "open tunnels hold the stop back";
    clients.clear();
    co_await stopping.join();
  }(running));
}

TEST(Service, TheEndOfTheDrainEndsWhatIsLeft) {
  Running running(std::make_shared<EchoHandler>());
  running.workers[0].loop.run([](Running& r) -> Task<> {
    co_await r.service->start();
    auto client = co_await client_of(r);
    co_await expect_echo(*client);
    co_await r.service->stop_accepting();
    co_await r.service->finish(20ms);
    std::array<std::uint8_t, 1> byte{};
    EXPECT_EQ((co_await read_exactly(*client, byte)).error().cause, Cause::eof);
  }(running));
}

TEST(Service, ASecondSignalCutsTheDrainShort) {
  Running running(std::make_shared<EchoHandler>());
  running.workers[0].loop.run([](Running& r) -> Task<> {
    co_await r.service->start();
    auto client = co_await client_of(r);
    co_await expect_echo(*client);
    co_await r.service->stop_accepting();
    TaskGroup stopping(co_await this_scope());
    stopping.spawn(r.service->finish(1h));
    co_await yield();
    co_await r.service->hurry();
    co_await stopping.join();
  }(running));
}

TEST(Service, TooManySilentClientsCostTheOldestItsPlace) {
  Running running(std::make_shared<SilentHandler>(), 3);
  running.workers[0].loop.run([](Running& r) -> Task<> {
    co_await r.service->start();
    std::vector<std::unique_ptr<TcpStream>> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(co_await client_of(r));
      // The age of two clients must differ for the test to know who is the oldest. The last one is not waited for: it
      // may have cost the first its place before anybody counts.
      while (i < 3 && r.workers[0].connections.load() + r.workers[1].connections.load() < i + 1) co_await yield();
      co_await sleep_for(5ms);
    }
    std::array<std::uint8_t, 1> byte{};
    EXPECT_EQ((co_await read_exactly(*clients[0], byte)).error().cause, Cause::eof);
    for (int i = 1; i < 4; ++i)
      EXPECT_EQ(clients[static_cast<std::size_t>(i)]->try_read(byte).status, IoResult::Status::would_block);
    clients.clear();
    co_await r.service->stop_accepting();
    co_await r.service->finish(1h);
  }(running));
}

/// Sends back each datagram twice.
class DatagramEchoHandler final : public Handler {
 public:
  Task<Result<>> handle(Session& session) const override {
    EXPECT_FALSE(session.client);
    while (co_await session.datagram->until(Interest::read) == Outcome::ready) {
      IoResult got = session.datagram->try_receive(session.io.datagrams);
      if (got.status == IoResult::Status::eof) break;
      for (const ReceivedDatagram& it : session.io.datagrams.items()) {
        std::array<OutgoingDatagram, 2> twice;
        twice.fill({.peer = it.peer, .name = {}, .head = {}, .payload = it.payload});
        session.datagram->try_send(twice);
      }
    }
    co_return {};
  }
};

struct RunningUdp {
  explicit RunningUdp(const UdpListenerOptions& options = {}) : workers(2) {
    auto listener = std::make_unique<UdpListener>("127.0.0.1:0", options);
    udp = listener.get();
    service = std::make_unique<Service>(ServiceParts{.name = "s",
                                                     .listener_type = "udp",
                                                     .handler_type = "test",
                                                     .listener = std::move(listener),
                                                     .handler = std::make_shared<DatagramEchoHandler>()},
                                        Logger(), sids);
    EXPECT_TRUE(service->bind(workers));
    workers.start();
  }
  std::unique_ptr<UdpSocket> client() { return UdpSocket::connect(workers[0].loop, udp->address()).value(); }
  SidSource sids;
  Workers workers;
  UdpListener* udp;
  std::unique_ptr<Service> service;
};

Task<> expect_echo_twice(Datagram& client, std::string payload) {
  std::array<OutgoingDatagram, 1> one{{{.peer = {}, .name = {}, .head = {}, .payload = as_bytes(payload)}}};
  client.try_send(one);
  DatagramBatch batch;
  for (std::size_t count = 0; count < 2;) {
    EXPECT_EQ(co_await client.until(Interest::read), Outcome::ready);
    client.try_receive(batch);
    for (const ReceivedDatagram& it : batch.items()) EXPECT_EQ(as_text(it.payload), payload);
    count += batch.items().size();
  }
}

TEST(Service, DatagramSessionsAreServedOnAllLoopsAndEndWithTheirListener) {
  RunningUdp running;
  running.workers[0].loop.run([](RunningUdp& r) -> Task<> {
    co_await r.service->start();
    std::vector<std::unique_ptr<UdpSocket>> clients;
    for (int i = 0; i < 40; ++i) clients.push_back(r.client());
    for (int round = 0; round < 3; ++round)
      for (auto& client : clients) co_await expect_echo_twice(*client, std::to_string(round));
    SocketAddress address = r.udp->address();
    co_await r.service->stop_accepting();
    EXPECT_TRUE(UdpSocket::bind_descriptor(address, false)) << "the address is free again";
    co_await r.service->finish(1h);
  }(running));
}

TEST(Service, DatagramSessionsThatAreAbandonedEnd) {
  RunningUdp running({.demux = {.ttl = 10ms}, .max_sessions = 1});
  running.workers[0].loop.run([](RunningUdp& r) -> Task<> {
    co_await r.service->start();
    co_await expect_echo_twice(*r.client(), "one");
    auto next = r.client();
    DatagramBatch batch;
    std::string payload = "two";
    std::array<OutgoingDatagram, 1> one{{{.peer = {}, .name = {}, .head = {}, .payload = as_bytes(payload)}}};
    // There is room for it as soon as the first has ended.
    while (next->try_receive(batch).status == IoResult::Status::would_block) {
      next->try_send(one);
      co_await sleep_for(1ms);
    }
    EXPECT_EQ(as_text(batch.items()[0].payload), payload);
    co_await r.service->stop_accepting();
    co_await r.service->finish(1h);
  }(running));
}

}  // namespace
}  // namespace gost
