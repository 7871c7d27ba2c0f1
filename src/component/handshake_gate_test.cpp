#include "component/handshake_gate.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

namespace gost {
namespace {

using namespace std::chrono_literals;

struct Client {
  explicit Client(Loop& loop) : scope(loop.root()) {}
  Scope scope;
  HandshakeGate::Slot slot;
};

Task<> pass(Duration duration) {
  co_await sleep_for(duration);
}

TEST(HandshakeGate, TheOldestGoesFirst) {
  Loop loop(Loop::Time::simulated);
  auto gate = std::make_shared<HandshakeGate>(2, std::vector<Loop*>{&loop});
  std::deque<Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(loop);
    gate->enter(clients.back().slot, 0, clients.back().scope);
    loop.run(pass(1s));
  }
  EXPECT_TRUE(clients[0].slot.dropped());
  EXPECT_TRUE(clients[0].scope.stopped());
  EXPECT_TRUE(clients[1].slot.dropped());
  EXPECT_FALSE(clients[2].slot.dropped());
  EXPECT_FALSE(clients[3].slot.dropped());
}

TEST(HandshakeGate, WhoHasLeftDoesNotCountAndIsNotDropped) {
  Loop loop(Loop::Time::simulated);
  auto gate = std::make_shared<HandshakeGate>(1, std::vector<Loop*>{&loop});
  std::deque<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(loop);
    gate->enter(clients.back().slot, 0, clients.back().scope);
    clients.back().slot.leave();
    clients.back().slot.leave();
  }
  for (auto& client : clients) EXPECT_FALSE(client.slot.dropped());
}

TEST(HandshakeGate, TheOldestMayLiveOnAnotherLoop) {
  Loop here;
  Loop there;
  auto gate = std::make_shared<HandshakeGate>(1, std::vector<Loop*>{&here, &there});
  Client old(there);
  gate->enter(old.slot, 1, old.scope);
  here.run(pass(1ms));
  Client young(here);
  gate->enter(young.slot, 0, young.scope);
  EXPECT_FALSE(young.slot.dropped());
  EXPECT_FALSE(old.slot.dropped()) << "only its own loop may touch it";
  there.run(pass(1ms));
  EXPECT_TRUE(old.slot.dropped());
  EXPECT_FALSE(young.slot.dropped());
}

}  // namespace
}  // namespace gost
