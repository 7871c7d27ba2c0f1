#include "tcp/listener.hpp"

#include "net/workers.hpp"
#include "runtime/run_on.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace gost {
namespace {

/// Keeps what it gets, and counts it.
class Keeper final : public StreamSink {
 public:
  explicit Keeper(std::atomic<int>& total) : total_(total) {}
  void deliver(std::unique_ptr<Stream> stream) override {
    streams.push_back(std::move(stream));
    total_.fetch_add(1);
  }
  void deliver(std::unique_ptr<Datagram>, SocketAddress, SocketAddress) override { ADD_FAILURE(); }
  void accept_failed(const Error& error, Duration) override { ADD_FAILURE() << error.text; }
  void carry(Task<>) override { ADD_FAILURE(); }
  void enter_handshake(HandshakeGate::Slot&, Scope&) override { ADD_FAILURE(); }
  void warn(const SocketAddress&, const std::string& text) override { ADD_FAILURE() << text; }
  std::vector<std::unique_ptr<Stream>> streams;

 private:
  std::atomic<int>& total_;
};

TEST(TcpListener, SpreadsConnectionsEvenlyOverTheLoopsAtAnyCount) {
  for (int count : {8, 9, 100}) {
    Workers workers(2);
    std::atomic<int> total{0};
    Keeper first(total);
    Keeper second(total);
    TcpListener listener("127.0.0.1:0");
    ASSERT_TRUE(listener.bind(2));
    listener.seat({{&workers[0], &first}, {&workers[1], &second}});
    workers.start();
    auto body = [](Workers& loops, TcpListener& tcp, int connections, std::atomic<int>& arrived, Keeper& here,
                   Keeper& other) -> Task<> {
      TaskGroup accepting(co_await this_scope());
      auto there = [](TcpListener& l, Loop& loop, Scope*& out) -> Task<> {
        TaskGroup group(loop.root());
        out = &group.scope();
        group.spawn(l.accept(1));
        co_await group.join();
      };
      auto elsewhere = [](Loop& loop, Task<> task) -> Task<> { co_await run_on(loop, std::move(task)); };
      Scope* scope = nullptr;
      accepting.spawn(elsewhere(loops[1].loop, there(tcp, loops[1].loop, scope)));
      accepting.spawn(tcp.accept(0));
      std::vector<std::unique_ptr<TcpStream>> clients;
      for (int i = 0; i < connections; ++i) clients.push_back((co_await connect_tcp(tcp.address())).value());
      while (arrived.load() < connections) co_await yield();
      auto stop = [](Scope*& where) -> Task<> {
        where->stop(Outcome::canceled);
        co_return;
      };
      co_await run_on(loops[1].loop, stop(scope));
      accepting.stop();
      co_await accepting.join();
      EXPECT_LE(std::abs(loops[0].connections.load() - loops[1].connections.load()), 1) << connections;
      EXPECT_EQ(loops[0].connections.load() + loops[1].connections.load(), connections);
      // A stream may only be destroyed on its own loop.
      auto close_all = [](Keeper& keeper) -> Task<> {
        keeper.streams.clear();
        co_return;
      };
      co_await close_all(here);
      co_await run_on(loops[1].loop, close_all(other));
      EXPECT_EQ(loops[0].connections.load() + loops[1].connections.load(), 0);
    };
    workers[0].loop.run(body(workers, listener, count, total, first, second));
  }
}

}  // namespace
}  // namespace gost
