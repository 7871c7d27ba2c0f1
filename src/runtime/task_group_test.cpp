#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace std::chrono_literals;

Task<> sleeper(Duration duration, int& finished, int& canceled) {
  (co_await sleep_for(duration) == Outcome::ready ? finished : canceled) += 1;
}

TEST(TaskGroup, JoinWaitsForAll) {
  Loop loop(Loop::Time::simulated);
  int finished = 0;
  int canceled = 0;
  loop.run([](int& done, int& stopped) -> Task<> {
    TaskGroup group(co_await this_scope());
    for (int i = 1; i <= 10; ++i) group.spawn(sleeper(std::chrono::seconds(i), done, stopped));
    EXPECT_EQ(group.running(), 10U);
    co_await group.join();
    EXPECT_EQ(done, 10);
    co_await group.join();
  }(finished, canceled));
  EXPECT_EQ(canceled, 0);
}

TEST(TaskGroup, StopEndsEveryWaitBelow) {
  Loop loop(Loop::Time::simulated);
  int finished = 0;
  int canceled = 0;
  TimePoint start = loop.now();
  loop.run([](int& done, int& stopped) -> Task<> {
    TaskGroup group(co_await this_scope());
    auto nested = [](int& d, int& s) -> Task<> {
      TaskGroup inner(co_await this_scope());
      inner.spawn(sleeper(1h, d, s));
      inner.spawn(sleeper(2h, d, s));
      co_await inner.join();
    };
    group.spawn(nested(done, stopped));
    group.spawn(sleeper(1s, done, stopped));
    co_await sleep_for(2s);
    group.stop();
    co_await group.join();
  }(finished, canceled));
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(canceled, 2);
  EXPECT_EQ(loop.now() - start, 2s);
}

TEST(TaskGroup, ATaskSpawnedIntoAStoppedGroupEndsAtItsFirstWait) {
  Loop loop(Loop::Time::simulated);
  int finished = 0;
  int canceled = 0;
  loop.run([](int& done, int& stopped) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.stop();
    group.spawn(sleeper(1s, done, stopped));
    EXPECT_EQ(group.running(), 0U);
    co_await group.join();
  }(finished, canceled));
  EXPECT_EQ(canceled, 1);
}

TEST(TaskGroup, ADeadlineAroundTheOwnerReachesTheTasks) {
  Loop loop(Loop::Time::simulated);
  int finished = 0;
  int canceled = 0;
  loop.run([](int& done, int& stopped) -> Task<> {
    auto owner = [](int& d, int& s) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(sleeper(1h, d, s));
      co_await group.join();
    };
    co_await with_deadline(1s, owner(done, stopped));
  }(finished, canceled));
  EXPECT_EQ(canceled, 1);
}

}  // namespace
}  // namespace gost
