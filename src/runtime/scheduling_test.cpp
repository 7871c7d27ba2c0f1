#include "runtime/scheduling.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// A thread of its own, whose policy is nobody else's.
void on_a_thread(const std::function<void()>& function) {
  std::thread(function).join();
}

/// A tenth of a second in which datagrams come `count` times.
void receive(Scheduling& scheduling, TimePoint& now, int count) {
  for (int i = 0; i < count; ++i) {
    scheduling.looked(now + i * 100ms / count);
    scheduling.datagrams_came();
  }
  now += 100ms;
  scheduling.looked(now);
}

TEST(Scheduling, IsBatchWhileDatagramsComeVeryOften) {
  on_a_thread([] {
    ASSERT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    Scheduling scheduling;
    TimePoint now = TimePoint{} + 1h;
    scheduling.looked(now);
    receive(scheduling, now, 999);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    receive(scheduling, now, 1000);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    receive(scheduling, now, 100);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH) << "larger batches are fewer";
    receive(scheduling, now, 99);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
  });
}

TEST(Scheduling, TheFirstDatagramAfterASilenceFindsAnOrdinaryThread) {
  on_a_thread([] {
    Scheduling scheduling;
    TimePoint now = TimePoint{} + 1h;
    scheduling.looked(now);
    receive(scheduling, now, 1000);
    ASSERT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    now += 10s;
    scheduling.looked(now);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
  });
}

TEST(Scheduling, APolicyOfSomebodyElseIsLeftAlone) {
  on_a_thread([] {
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_IDLE, &none), 0);
    Scheduling scheduling;
    TimePoint now = TimePoint{} + 1h;
    scheduling.looked(now);
    for (int i = 0; i < 3; ++i) receive(scheduling, now, 5000);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_IDLE);
    receive(scheduling, now, 1);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_IDLE);
  });
}

}  // namespace
}  // namespace gost
