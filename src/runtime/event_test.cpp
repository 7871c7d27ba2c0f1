#include "runtime/event.hpp"

#include "runtime/loop.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

Task<> wait(Event& event, std::optional<Outcome>& outcome) {
  outcome = co_await event.until_set();
}

Task<> play(Event& event, std::optional<Outcome>& outcome, bool set) {
  TaskGroup group(co_await this_scope());
  group.spawn(wait(event, outcome));
  EXPECT_FALSE(outcome);
  if (set) {
    event.set();
  } else {
    group.stop();
  }
  co_await group.join();
}

TEST(Event, WakesItsWaiterAndStaysSetUntilCleared) {
  Loop loop(Loop::Time::simulated);
  Event event;
  std::optional<Outcome> outcome;
  loop.run(play(event, outcome, true));
  EXPECT_EQ(outcome, Outcome::ready);
  outcome.reset();
  loop.run(wait(event, outcome));
  EXPECT_EQ(outcome, Outcome::ready) << "it was set already";
  event.clear();
  EXPECT_FALSE(event.is_set());
}

TEST(Event, AStopEndsTheWait) {
  Loop loop(Loop::Time::simulated);
  Event event;
  std::optional<Outcome> outcome;
  loop.run(play(event, outcome, false));
  EXPECT_EQ(outcome, Outcome::canceled);
  event.set();
  EXPECT_TRUE(event.is_set());
}

}  // namespace
}  // namespace gost
