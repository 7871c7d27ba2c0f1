#include "forward/remote/rudp_listener.hpp"

#include "component/testing/script.hpp"
#include "observe/log_capture.hpp"
#include "runtime/task_group.hpp"
#include "udp/testing/kept_sessions.hpp"

#include <deque>

namespace gost::forward {
namespace {

using namespace std::chrono_literals;
using testing::client_address;
using testing::KeptSessions;
using testing::receive_texts;
using testing::send_to;

/// Binds as often as there are ways; otherwise it fails.
class BindingRouter final : public testing::ScriptedRouter {
 public:
  mutable std::deque<std::unique_ptr<Datagram>> ways;
  mutable std::vector<std::string> asked;

  Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext&, Endpoint at, Requester) const override {
    asked.push_back(at.to_string());
    if (ways.empty()) co_return fail(Cause::denied, "not allowed by the proxy (reply 02)");
    auto way = std::move(ways.front());
    ways.pop_front();
    co_return way;
  }
};

struct Fixture {
  Fixture() : listener(":53", {}, router, Logger(log, Level::info)) {
    EXPECT_TRUE(listener.bind(1));
    listener.seat({{&io, &sink}});
  }
  /// Another way to the port; its far side.
  std::unique_ptr<Datagram> add_way() {
    auto [ours, theirs] = make_memory_datagrams({.keeps_what_was_begun = true, .names = true});
    router->ways.push_back(std::move(ours));
    return std::move(theirs);
  }
  void run(Task<> (*play)(Fixture&)) { io.loop.run(drive(play)); }
  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }
  std::string logged() {
    std::string all;
    for (const std::string& line : log->take()) all += line;
    return all;
  }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<LogCapture> log = std::make_shared<LogCapture>();
  std::shared_ptr<BindingRouter> router = std::make_shared<BindingRouter>();
  KeptSessions sink;
  RudpListener listener;
  std::unique_ptr<Datagram> far = add_way();

 private:
  Task<> drive(Task<> (*play)(Fixture&)) {
    TaskGroup group(co_await this_scope());
    group.spawn(listener.accept(0));
    co_await play(*this);
    group.stop();
    co_await group.join();
  }
};

TEST(RudpListener, EachPeerIsASession) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    send_to(*f.far, client_address(1), "one");
    send_to(*f.far, client_address(2), "two");
    send_to(*f.far, client_address(1), "three");
    send_to(*f.far, SocketAddress(IpAddress(), 4000), "four", "localhost");
    co_await Fixture::settle();
    EXPECT_EQ(f.router->asked, std::vector<std::string>{":53"});
    if (f.sink.sessions.size() != 3) co_return ADD_FAILURE() << f.sink.sessions.size();
    EXPECT_EQ(receive_texts(*f.sink.sessions[0].datagrams, f.io.datagrams),
              (std::vector<std::string>{"one", "three"}));
    // Whatever address a session's handler names, the answer goes to its client; a name is not looked up.
    send_to(*f.sink.sessions[2].datagrams, {}, "answer");
    co_await Fixture::settle();
    EXPECT_EQ(f.far->try_receive(f.io.datagrams).status, IoResult::Status::ok);
    EXPECT_EQ(f.io.datagrams.items().front().name, "localhost");
    EXPECT_EQ(f.io.datagrams.items().front().peer.port(), 4000);
  });
}

TEST(RudpListener, TakesLongerDatagramsThanTheUdpListener) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    send_to(*f.far, client_address(1), std::string(8192, 'x'));
    send_to(*f.far, client_address(2), std::string(8193, 'x'));
    co_await Fixture::settle();
    EXPECT_EQ(f.sink.sessions.size(), 1U);
    EXPECT_EQ(f.sink.failures.size(), 1U);
  });
}

TEST(RudpListener, ALostWayEndsTheSessionsAndIsOpenedAgain) {
  Fixture fixture;
  fixture.run([](Fixture& f) -> Task<> {
    send_to(*f.far, client_address(1), "one");
    co_await Fixture::settle();
    f.far.reset();
    co_await Fixture::settle();
    if (f.sink.sessions.size() != 1) co_return ADD_FAILURE();
    receive_texts(*f.sink.sessions[0].datagrams, f.io.datagrams);
    EXPECT_EQ(f.sink.sessions[0].datagrams->try_receive(f.io.datagrams).status, IoResult::Status::eof);
    co_await sleep_for(2s);
    EXPECT_EQ(f.router->asked.size(), 2U);
    f.far = f.add_way();
    while (f.router->asked.size() < 3) co_await sleep_for(100ms);
    send_to(*f.far, client_address(1), "two");
    co_await Fixture::settle();
    EXPECT_EQ(f.sink.sessions.size(), 2U);
    std::string log = f.logged();
    EXPECT_TRUE(log.contains("the port :53/udp is lost: ")) << log;
    EXPECT_TRUE(log.contains("bind on :53/udp failed: not allowed by the proxy (reply 02), retrying in 2s")) << log;
  });
}

}  // namespace
}  // namespace gost::forward
