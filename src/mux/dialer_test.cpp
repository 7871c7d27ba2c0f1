#include "mux/dialer.hpp"

#include "net/memory_pipe.hpp"
#include "observe/log_capture.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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
    co_await io.end_background({});
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

/// Everything that comes until the other end shuts down.
Task<std::vector<std::uint8_t>> read_to_end(Stream& stream) {
  std::vector<std::uint8_t> all;
  std::array<std::uint8_t, 4096> part;
  while (co_await stream.until(Interest::read) == Outcome::ready) {
    IoResult got = stream.try_read(part);
    if (got.status == IoResult::Status::eof) break;
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got.bytes));
    co_await sleep_for(1ms);
  }
  co_return all;
}

/// A stream that has written so much that a part of it is left in the session, and was closed.
Task<std::size_t> leave_much(Lab& lab, TaskGroup& requests) {
  requests.spawn(lab.ask());
  co_await requests.join();
  const std::vector<std::uint8_t> data(200'000, 'x');
  std::size_t written = 0;
  for (IoResult io; (io = lab.streams[0]->try_write(Bytes(data).subspan(written))).bytes > 0;) written += io.bytes;
  lab.streams.clear();
  co_return written;
}

TEST(MuxDialer, AnEndInOrderDeliversWhatClosedStreamsHaveLeft) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    const std::size_t written = co_await leave_much(lab, requests);
    const TimePoint begin = lab.io.loop.now();
    requests.spawn(lab.io.end_background(2s));
    const auto all = co_await read_to_end(*lab.raw.proxies[0]);
    EXPECT_EQ(std::ranges::count(all, 'x'), static_cast<std::ptrdiff_t>(written));
    lab.raw.proxies.clear();
    co_await requests.join();
    EXPECT_LT(lab.io.loop.now() - begin, 1s);
  });
}

TEST(MuxDialer, AnEndInOrderWaitsOnlySoLongForAPeer) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    co_await leave_much(lab, requests);
    const TimePoint begin = lab.io.loop.now();
    co_await lab.io.end_background(2s);
    EXPECT_EQ(lab.io.loop.now() - begin, 2s);
  });
}

TEST(MuxDialer, AnEndInOrderOfIdleSessionsIsAtOnce) {
  Lab().run([](Lab& lab, TaskGroup& requests) -> Task<> {
    requests.spawn(lab.ask());
    co_await requests.join();
    lab.streams.clear();
    co_await sleep_for(1ms);
    std::array<std::uint8_t, 64> opened_and_closed;
    EXPECT_EQ(lab.raw.proxies[0]->try_read(opened_and_closed).bytes, 16U);
    const TimePoint begin = lab.io.loop.now();
    co_await lab.io.end_background(2s);
    EXPECT_EQ(lab.io.loop.now(), begin);
  });
}

}  // namespace
}  // namespace gost
