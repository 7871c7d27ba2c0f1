#include "runtime/timer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

namespace gost {
namespace {

struct Recorder : Timer {
  Recorder() : Timer([](Timer& timer) { static_cast<Recorder&>(timer).fired = true; }) {}
  bool fired = false;
};

TimePoint at(int seconds) {
  return TimePoint(std::chrono::seconds(seconds));
}

// Whatever is armed, moved and disarmed: exactly the armed timers that are due fire, and the heap knows the earliest.
RC_GTEST_PROP(TimerHeap, FiresExactlyWhatIsDue, (std::vector<std::pair<std::uint8_t, std::uint8_t>> steps)) {
  TimerHeap heap;
  std::deque<Recorder> timers(16);
  std::vector<int> when(16, -1);
  for (auto [which, moment] : steps) {
    std::size_t i = which % 16;
    if (moment < 40) {
      heap.disarm(timers[i]);
      when[i] = -1;
    } else {
      heap.arm(timers[i], at(moment));
      when[i] = moment;
    }
  }
  int earliest = -1;
  for (int moment : when)
    if (moment >= 0 && (earliest < 0 || moment < earliest)) earliest = moment;
  RC_ASSERT(heap.empty() == (earliest < 0));
  if (earliest >= 0) RC_ASSERT(heap.next() == at(earliest));
  heap.expire(at(128));
  for (std::size_t i = 0; i < 16; ++i) RC_ASSERT(timers[i].fired == (when[i] >= 0 && when[i] <= 128));
  heap.expire(at(256));
  RC_ASSERT(heap.empty());
}

TEST(TimerHeap, ATimerMayArmItselfAgainWhenItFires) {
  struct Again : Timer {
    explicit Again(TimerHeap& timers)
        : Timer([](Timer& timer) {
            auto& self = static_cast<Again&>(timer);
            if (++self.count < 3) self.heap.arm(self, self.when() + std::chrono::seconds(1));
          }),
          heap(timers) {}
    TimerHeap& heap;
    int count = 0;
  };
  TimerHeap heap;
  Again timer(heap);
  heap.arm(timer, at(1));
  heap.expire(at(2));
  EXPECT_EQ(timer.count, 2);
  heap.expire(at(10));
  EXPECT_EQ(timer.count, 3);
  EXPECT_TRUE(heap.empty());
}

}  // namespace
}  // namespace gost
