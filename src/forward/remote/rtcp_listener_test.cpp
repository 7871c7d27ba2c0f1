#include "forward/remote/rtcp_listener.hpp"

#include "component/testing/script.hpp"
#include "net/memory_pipe.hpp"
#include "observe/log_capture.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace gost::forward {
namespace {

using namespace std::chrono_literals;

/// What the test does to a port.
struct PortScript {
  std::deque<std::unique_ptr<Stream>> peers;
  std::optional<Error> lost;
  bool running = false;
  bool closed = false;
  bool set = false;
  Wait* waiter = nullptr;
  Wait* runner = nullptr;

  void put() {
    peers.push_back(make_memory_pipe().first);
    wake();
  }
  void lose() {
    lost = Error{Cause::eof, "the proxy has ended the session"};
    wake();
  }
  void wake() {
    set = true;
    for (Wait* wait : {waiter, runner})
      if (wait != nullptr) wait->complete();
  }
  bool ready(Interest interest) const { return interest == Interest::read ? set : lost || closed; }
  Wait*& waiting(Interest interest) { return interest == Interest::read ? waiter : runner; }
};

class ScriptedPort final : public RemoteBind {
 public:
  explicit ScriptedPort(std::shared_ptr<PortScript> script) : script_(std::move(script)) {}
  Endpoint bound() const override { return {"192.0.2.1", 2222}; }
  Task<> run() override {
    script_->running = true;
    while (!script_->lost && !script_->closed &&
           co_await UntilReady<PortScript>(*script_, Interest::write) == Outcome::ready) {
    }
    script_->running = false;
  }
  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (script_->peers.empty()) {
      if (script_->lost) co_return fail(*script_->lost);
      script_->set = false;
      if (auto outcome = co_await UntilReady<PortScript>(*script_, Interest::read); outcome != Outcome::ready)
        co_return fail(stop_error(outcome));
    }
    auto peer = std::move(script_->peers.front());
    script_->peers.pop_front();
    co_return peer;
  }
  void close() override {
    script_->closed = true;
    script_->wake();
  }

 private:
  std::shared_ptr<PortScript> script_;
};

/// Binds as often as there are ports; otherwise it fails.
class BindingRouter final : public testing::ScriptedRouter {
 public:
  mutable std::deque<std::shared_ptr<PortScript>> ports;
  mutable std::vector<Duration> asked_at;
  mutable std::vector<std::string> asked;

  Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext& io, Endpoint at, Requester) const override {
    asked_at.push_back(io.loop.now().time_since_epoch());
    asked.push_back(at.to_string());
    if (ports.empty()) co_return fail(Cause::refused, "connection refused");
    auto script = std::move(ports.front());
    ports.pop_front();
    co_return std::make_unique<ScriptedPort>(std::move(script));
  }
};

class Sink final : public StreamSink {
 public:
  std::vector<std::unique_ptr<Stream>> streams;
  TaskGroup* carriers = nullptr;

  void deliver(std::unique_ptr<Stream> stream) override { streams.push_back(std::move(stream)); }
  void deliver(std::unique_ptr<Datagram>, SocketAddress, SocketAddress) override { ADD_FAILURE(); }
  void carry(Task<> carrier) override { carriers->spawn(std::move(carrier)); }
  void enter_handshake(HandshakeGate::Slot&, Scope&) override { ADD_FAILURE(); }
  void accept_failed(const Error& error, Duration) override { ADD_FAILURE() << error.text; }
  void warn(const SocketAddress&, const std::string& text) override { ADD_FAILURE() << text; }
};

struct Fixture {
  explicit Fixture(std::string address = ":2222") : listener(std::move(address), router, Logger(log, Level::info)) {
    EXPECT_TRUE(listener.bind(2));
    listener.seat({{&io, &sink}, {&io, &sink}});
  }

  void run(Task<> (*play)(Fixture&)) { io.loop.run(drive(play)); }
  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }
  void lose(PortScript& lost) {
    lost_at = io.loop.now().time_since_epoch();
    lost.lose();
  }
  /// The seconds before each attempt but the first, since the attempt or the loss before it, rounded: the pauses are
  /// a tenth longer or shorter.
  std::vector<long> pauses() const {
    std::vector<long> rounded;
    for (std::size_t i = 1; i < router->asked_at.size(); ++i) {
      Duration since = router->asked_at[i - 1];
      if (lost_at < router->asked_at[i]) since = std::max(since, lost_at);
      Duration pause = router->asked_at[i] - since;
      auto seconds = std::chrono::round<std::chrono::seconds>(pause);
      EXPECT_LE(std::chrono::abs(pause - seconds), Duration(seconds) / 10);
      rounded.push_back(seconds.count());
    }
    return rounded;
  }
  std::string logged() {
    std::string all;
    for (const std::string& line : log->take()) all += line;
    return all;
  }
  std::shared_ptr<PortScript> add_port() {
    router->ports.push_back(std::make_shared<PortScript>());
    return router->ports.back();
  }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<LogCapture> log = std::make_shared<LogCapture>();
  std::shared_ptr<BindingRouter> router = std::make_shared<BindingRouter>();
  std::shared_ptr<PortScript> port;  ///< of the test
  Duration lost_at{0};               ///< the last loss
  Sink sink;
  RtcpListener listener;
  TaskGroup* accepting = nullptr;

 private:
  Task<> drive(Task<> (*play)(Fixture&)) {
    TaskGroup accepts(co_await this_scope());
    TaskGroup carriers(co_await this_scope());
    accepting = &accepts;
    sink.carriers = &carriers;
    for (std::size_t seat : {0U, 1U}) accepts.spawn(listener.accept(seat));
    co_await play(*this);
    accepts.stop();
    co_await accepts.join();
    carriers.stop();
    co_await carriers.join();
    listener.close();
  }
};

TEST(RtcpListener, DeliversWhoComesToThePort) {
  Fixture fixture;
  fixture.port = fixture.add_port();
  EXPECT_EQ(fixture.listener.address().to_string(), "[::]:2222");
  fixture.run([](Fixture& f) -> Task<> {
    for (int i = 0; i < 40; ++i) f.port->put();
    co_await Fixture::settle();
    EXPECT_EQ(f.sink.streams.size(), 40U);
    EXPECT_EQ(f.router->asked, std::vector<std::string>{":2222"}) << "one seat binds";
    EXPECT_EQ(f.listener.address().to_string(), "192.0.2.1:2222");
    EXPECT_TRUE(f.logged().contains("bind on :2222/tcp OK: 192.0.2.1:2222"));
  });
  EXPECT_TRUE(fixture.port->closed);
}

TEST(RtcpListener, RetriesWithLongerAndLongerPauses) {
  Fixture fixture("127.0.0.1:2222");
  fixture.run([](Fixture& f) -> Task<> {
    while (f.router->asked.size() < 6) co_await sleep_for(1s);
    EXPECT_EQ(f.pauses(), (std::vector<long>{1, 2, 4, 5, 5}));
    std::string log = f.logged();
    for (const char* end : {"1s", "2s", "4s", "5s"})
      EXPECT_TRUE(
          log.contains(std::string("bind on 127.0.0.1:2222/tcp failed: connection refused, retrying in ") + end))
          << log;
  });
}

TEST(RtcpListener, AfterALossItBindsAgainInASecond) {
  Fixture fixture;
  fixture.port = fixture.add_port();
  fixture.run([](Fixture& f) -> Task<> {
    co_await Fixture::settle();
    f.lose(*f.port);
    while (f.router->asked.size() < 3) co_await sleep_for(1s);
    EXPECT_FALSE(f.port->running);
    auto second = f.port = f.add_port();
    while (!second->running) co_await sleep_for(100ms);
    f.lose(*second);
    while (f.router->asked.size() < 5) co_await sleep_for(100ms);
    auto pauses = f.pauses();
    EXPECT_EQ(pauses, (std::vector<long>{1, 2, 4, 1}))
        << "two failures between the losses; after the second one from the start";
    std::string log = f.logged();
    EXPECT_TRUE(log.contains("the port :2222/tcp is lost: the proxy has ended the session, retrying in 1s")) << log;
    EXPECT_TRUE(log.contains("bind on :2222/tcp failed: connection refused, retrying in 2s")) << log;
  });
}

TEST(RtcpListener, WhatWasDeliveredIsCarriedOnAfterItStops) {
  Fixture fixture;
  fixture.port = fixture.add_port();
  fixture.run([](Fixture& f) -> Task<> {
    co_await Fixture::settle();
    EXPECT_TRUE(f.port->running);
    EXPECT_EQ(f.sink.carriers->running(), 1U) << "not a task of the accepting one";
    f.accepting->stop();
    co_await f.accepting->join();
    EXPECT_TRUE(f.port->closed);
  });
  EXPECT_FALSE(fixture.logged().contains("lost")) << "a stop is no loss";
}

TEST(RtcpListener, AnAddressWithoutAPortIsAnError) {
  RtcpListener listener("8080", nullptr, {});
  auto bound = listener.bind(1);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().text, "bind on 8080/tcp: address 8080: missing port in address");
}

}  // namespace
}  // namespace gost::forward
