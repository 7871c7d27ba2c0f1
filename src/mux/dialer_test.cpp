#include "mux/dialer.hpp"

#include "net/memory_pipe.hpp"
#include "observe/log_capture.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// A connection to a proxy: takes a second, then works or fails.
class SlowConnection final : public RawConnection {
 public:
  std::deque<Error> failures;
  int opened = 0;
  std::vector<std::unique_ptr<Stream>> proxies;  ///< the other ends

  Task<Result<std::unique_ptr<Stream>>> open() override {
    ++opened;
    if (Outcome outcome = co_await sleep_for(1s); outcome != Outcome::ready) co_return fail(stop_error(outcome));
    if (!failures.empty()) {
      Error error = std::move(failures.front());
      failures.pop_front();
      co_return fail(std::move(error));
    }
    auto [near, far] = make_memory_pipe();
    proxies.push_back(std::move(far));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram() override { co_return fail(Cause::other, "no datagrams"); }
};

class Passing final : public Dialer {
 public:
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, RawConnection& raw) const override { return raw.open(); }
};

struct Lab {
  IoContext io{Loop::Time::simulated};
  SlowConnection raw;
  std::shared_ptr<LogCapture> log = std::make_shared<LogCapture>();
  MuxDialer dialer{std::make_shared<const Passing>(), SmuxOptions(), Logger(log, Level::warn)};
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::string> errors;

  Task<> ask(Duration limit = 1h) {
    auto stream = co_await with_deadline(limit, dialer.dial(io, raw));
    if (stream) {
      streams.push_back(std::move(*stream));
    } else {
      errors.push_back(stream.error().text);
    }
  }
  /// Runs `test` on the loop, then ends the sessions.
  template <class Test>
  void run(Test test) {
    io.loop.run(beside(test));
  }
  template <class Test>
  Task<> beside(Test test) {
    TaskGroup requests(co_await this_scope());
    co_await test(*this, requests);
    co_await requests.join();
    streams.clear();
    io.background.stop();
    co_await io.background.join();
  }
};

TEST(MuxDialer, RequestsOfALoopShareAConnection) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    for (int i = 0; i < 5; ++i) requests.spawn(lab.ask());
    co_await requests.join();
    requests.spawn(lab.ask());
    co_await requests.join();
    EXPECT_EQ(lab.streams.size(), 6U);
    EXPECT_EQ(lab.raw.opened, 1);
  });
}

TEST(MuxDialer, WhoWaitedForAConnectionThatFailedFailsWithIt) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    lab.raw.failures.emplace_back(Cause::refused, "connection refused");
    for (int i = 0; i < 3; ++i) requests.spawn(lab.ask());
    co_await requests.join();
    EXPECT_EQ(lab.errors, std::vector<std::string>(3, "connection refused"));
    EXPECT_EQ(lab.raw.opened, 1);
    requests.spawn(lab.ask());
    co_await requests.join();
    EXPECT_EQ(lab.streams.size(), 1U);
  });
}

TEST(MuxDialer, ARequestThatIsGivenUpPassesItsPlaceOn) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    requests.spawn(lab.ask(500ms));
    for (int i = 0; i < 3; ++i) requests.spawn(lab.ask());
    co_await requests.join();
    EXPECT_EQ(lab.errors.size(), 1U);
    EXPECT_EQ(lab.streams.size(), 3U);
    EXPECT_EQ(lab.raw.opened, 2);
  });
}

TEST(MuxDialer, AConnectionThatEndedIsReplaced) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    requests.spawn(lab.ask());
    co_await requests.join();
    lab.raw.proxies.clear();
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    requests.spawn(lab.ask());
    requests.spawn(lab.ask());
    co_await requests.join();
    EXPECT_EQ(lab.streams.size(), 3U);
    EXPECT_EQ(lab.raw.opened, 2);
  });
}

TEST(MuxDialer, WarnsWhenAConnectionEndsForAReasonThatIsNotThePeersLeaving) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    for (bool breaks : {false, true}) {
      requests.spawn(lab.ask());
      co_await requests.join();
      if (breaks) lab.raw.proxies.back()->try_write(from_hex("05").value());
      lab.raw.proxies.clear();
      for (int turn = 0; turn < 10; ++turn) co_await yield();
      auto lines = lab.log->take();
      EXPECT_EQ(lines.size(), breaks ? 1U : 0U);
      if (breaks)
        EXPECT_NE(lines.at(0).find("smux: the peer speaks version 5, not 1"), std::string::npos) << lines[0];
    }
  });
}

TEST(MuxDialer, ARequestThatWaitsCanBeGivenUp) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    requests.spawn(lab.ask());
    requests.spawn(lab.ask(500ms));
    co_await requests.join();
    EXPECT_EQ(lab.errors, std::vector<std::string>{"i/o timeout"});
    EXPECT_EQ(lab.streams.size(), 1U);
  });
}

}  // namespace
}  // namespace gost
