#include "runtime/loop.hpp"

#include "runtime/run_on.hpp"
#include "runtime/signals.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace gost {
namespace {

using namespace std::chrono_literals;

Task<Outcome> nap(Duration duration) {
  co_return co_await sleep_for(duration);
}

TEST(Loop, SimulatedTimeJumpsToTheNextTimer) {
  Loop loop(Loop::Time::simulated);
  TimePoint start = loop.now();
  EXPECT_EQ(loop.run(nap(24h)), Outcome::ready);
  EXPECT_EQ(loop.now() - start, 24h);
}

TEST(Loop, RealTimersAreNeverEarly) {
  Loop loop;
  auto start = std::chrono::steady_clock::now();
  loop.run(nap(3ms));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 3ms);
}

Task<Outcome> nested(Duration outer, Duration inner, Duration sleep) {
  co_return co_await with_deadline(outer, [](Duration limit, Duration duration) -> Task<Outcome> {
    co_return co_await with_deadline(limit, nap(duration));
  }(inner, sleep));
}

TEST(Deadline, TheInnerOneNeverExtendsTheOuterOne) {
  Loop loop(Loop::Time::simulated);
  TimePoint start = loop.now();
  EXPECT_EQ(loop.run(nested(1s, 10s, 1h)), Outcome::timeout);
  EXPECT_EQ(loop.now() - start, 1s);
  start = loop.now();
  EXPECT_EQ(loop.run(nested(10s, 1s, 1h)), Outcome::timeout);
  EXPECT_EQ(loop.now() - start, 1s);
  EXPECT_EQ(loop.run(nested(10s, 10s, 1s)), Outcome::ready);
  EXPECT_EQ(loop.run(nested(0s, 0s, 1h)), Outcome::ready) << "no limit";
}

TEST(Deadline, WaitsAfterItEndAtOnceInsideAndNotOutside) {
  Loop loop(Loop::Time::simulated);
  loop.run([]() -> Task<> {
    auto inside = [](Loop& clock) -> Task<Outcome> {
      co_await sleep_for(5s);
      TimePoint before = clock.now();
      Outcome outcome = co_await sleep_for(1h);
      EXPECT_EQ(clock.now(), before);
      co_return outcome;
    };
    Loop& clock = (co_await this_scope()).loop();
    EXPECT_EQ(co_await with_deadline(1s, inside(clock)), Outcome::timeout);
    EXPECT_EQ(co_await sleep_for(1s), Outcome::ready);
  }());
}

Task<Outcome> until_readable(IoWatch& watch) {
  co_return co_await until_ready(watch, Interest::read);
}

class LoopSockets : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int ends_[2] = {-1, -1};
};

TEST_F(LoopSockets, AnEdgeIsRememberedUntilItIsUsedUp) {
  Loop loop;
  IoWatch watch;
  ASSERT_TRUE(watch.start(loop, ends_[0]));
  watch.not_readable();
  ASSERT_EQ(::write(ends_[1], "x", 1), 1);
  EXPECT_EQ(loop.run(until_readable(watch)), Outcome::ready);
  EXPECT_TRUE(watch.readable());
  EXPECT_FALSE(watch.hung_up());
  watch.not_readable();
  ::shutdown(ends_[1], SHUT_WR);
  EXPECT_EQ(loop.run(until_readable(watch)), Outcome::ready);
  EXPECT_TRUE(watch.hung_up());
}

TEST_F(LoopSockets, ADeadlineEndsAWaitOnADescriptor) {
  Loop loop(Loop::Time::simulated);
  IoWatch watch;
  ASSERT_TRUE(watch.start(loop, ends_[0]));
  watch.not_readable();
  EXPECT_EQ(
      loop.run([](IoWatch& io) -> Task<Outcome> { co_return co_await with_deadline(1s, until_readable(io)); }(watch)),
      Outcome::timeout);
  EXPECT_EQ(watch.reader(), nullptr);
}

TEST(Loop, PostsFromManyThreadsAllArriveInOrderOfTheirThread) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  Loop loop;
  int arrived = 0;
  std::vector<int> last(kThreads, -1);
  std::vector<std::thread> posters;
  for (int id = 0; id < kThreads; ++id) {
    posters.emplace_back([&, id] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, id, i] {
          EXPECT_EQ(last[static_cast<std::size_t>(id)], i - 1);
          last[static_cast<std::size_t>(id)] = i;
          if (++arrived == kThreads * kPosts) loop.quit();
        });
      }
    });
  }
  loop.run();
  for (auto& poster : posters) poster.join();
  EXPECT_EQ(arrived, kThreads * kPosts);
}

TEST(Loop, ATaskRunsOnAnotherLoopAndItsEndComesBack) {
  Loop here;
  Loop there;
  std::thread thread([&] { there.run(); });
  std::thread::id ran;
  for (int i = 0; i < 100; ++i) {
    here.run([](Loop& other, std::thread::id& id) -> Task<> {
      co_await run_on(other, [](std::thread::id& out) -> Task<> {
        co_await yield();
        out = std::this_thread::get_id();
      }(id));
    }(there, ran));
  }
  EXPECT_EQ(ran, thread.get_id());
  there.quit();
  thread.join();
}

TEST(Loop, YieldLetsTheOthersHaveATurn) {
  Loop loop;
  std::string order;
  auto talk = [](std::string& out, char name) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      out += name;
      co_await yield();
    }
  };
  loop.run([](auto& say, std::string& out) -> Task<> {
    Loop& clock = (co_await this_scope()).loop();
    bool done = false;
    struct Owner final : TaskOwner {
      bool& done;
      explicit Owner(bool& flag) : done(flag) {}
      void finished(std::coroutine_handle<>) override { done = true; }
    } owner(done);
    Task<> other = say(out, 'b');
    other.handle().promise().start_spawned(clock.root(), owner);
    other.handle().resume();
    co_await say(out, 'a');
    while (!done) co_await yield();
  }(talk, order));
  EXPECT_EQ(order, "bababa");
}

TEST(Signals, ArriveOneByOne) {
  Signals signals({SIGUSR1, SIGUSR2});
  Loop loop;
  ASSERT_TRUE(signals.start(loop));
  ::kill(::getpid(), SIGUSR2);
  EXPECT_EQ(loop.run(signals.next()).value(), SIGUSR2);
  ::kill(::getpid(), SIGUSR1);
  EXPECT_EQ(loop.run(signals.next()).value(), SIGUSR1);
}

}  // namespace
}  // namespace gost
