#include "service/service.hpp"

#include "net/stream_io.hpp"
#include "net/tcp.hpp"
#include "runtime/task_group.hpp"
#include "tcp/listener.hpp"

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

}  // namespace
}  // namespace gost
