#include "runtime/per_loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace gost {
namespace {

TEST(PerLoop, EachLoopHasAStateOfItsOwn) {
  Loop one;
  Loop two;
  PerLoop<int> states;
  EXPECT_EQ(states.find(one), nullptr);
  states.get(one, 1) = 10;
  EXPECT_EQ(states.find(two), nullptr);
  EXPECT_EQ(states.get(two, 2), 2);
  EXPECT_EQ(states.get(one, 3), 10);
}

TEST(PerLoop, LoopsMayComeAtTheSameTime) {
  PerLoop<std::size_t> states;
  std::array<Loop, 8> loops;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < loops.size(); ++i)
    threads.emplace_back([&states, &loop = loops[i], i] {
      std::size_t& state = states.get(loop, i);
      for (int round = 0; round < 1000; ++round) {
        EXPECT_EQ(states.find(loop), &state);
        EXPECT_EQ(state, i);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gost
