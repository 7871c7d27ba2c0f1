#include "component/testing/script.hpp"
#include "forward/handler.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gost::forward {
namespace {

using namespace std::chrono_literals;
using testing::converse;

/// A router on which targets are dead or alive by their host.
class TargetsRouter final : public Router {
 public:
  std::map<std::string, Error, std::less<>> dead;
  mutable std::vector<Endpoint> dialed;
  std::shared_ptr<testing::ScriptedRouter> alive = std::make_shared<testing::ScriptedRouter>();

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, Endpoint target, Requester from) const override {
    dialed.push_back(target);
    if (auto found = dead.find(target.host); found != dead.end()) co_return fail(found->second);
    co_return co_await alive->dial(io, std::move(target), std::move(from));
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<DatagramWay>> open_datagram_to(IoContext&, Endpoint, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<IpAddress>> resolve(IoContext&, std::string) const override { co_return IpAddress(); }
  bool forbids(Network, std::string_view, std::uint16_t) const override { return false; }
};

std::shared_ptr<const TargetList> targets(std::vector<Endpoint> addresses) {
  std::vector<TargetOptions> options;
  for (Endpoint& address : addresses) options.push_back({.name = address.host, .address = address, .candidate = {}});
  return std::make_shared<const TargetList>(std::move(options));
}

struct Fixture {
  explicit Fixture(std::vector<Endpoint> addresses, Duration idle_timeout = Duration::zero())
      : handler({.router = router, .targets = targets(std::move(addresses)), .idle_timeout = idle_timeout}) {}
  std::string received_by_target() {
    std::array<std::uint8_t, 256> buffer;
    IoResult got = router->alive->target().try_read(buffer);
    return got.status == IoResult::Status::ok ? std::string(as_text(Bytes(buffer).first(got.bytes))) : "";
  }
  std::shared_ptr<TargetsRouter> router = std::make_shared<TargetsRouter>();
  ForwardHandler handler;
};

TEST(ForwardStream, ConnectsTheClientWithTheTarget) {
  Fixture fixture({{"target", 80}});
  auto after = [&fixture] {
    EXPECT_EQ(fixture.received_by_target(), "ping");
    fixture.router->alive->target().try_write(as_bytes("pong"));
    fixture.router->alive->end();
  };
  auto conversation = converse(fixture.handler, "70696e67|fin", {}, after);
  EXPECT_TRUE(conversation.outcome);
  EXPECT_EQ(conversation.received, "706f6e67");
  EXPECT_EQ(fixture.router->dialed, (std::vector<Endpoint>{{"target", 80}}));
}

TEST(ForwardStream, AServerThatSpeaksFirstIsHeard) {
  Fixture fixture({{"target", 25}});
  auto after = [&fixture] {
    fixture.router->alive->target().try_write(as_bytes("220"));
    fixture.router->alive->end();
  };
  EXPECT_EQ(converse(fixture.handler, "|fin", {}, after).received, "323230");
}

TEST(ForwardStream, ADeadTargetIsReplacedWithinTheConnectionAndLeftOutAfterwards) {
  Fixture fixture({{"dead", 1}, {"alive", 2}});
  fixture.router->dead["dead"] = Error{Cause::refused, "connection refused"};
  auto after = [&fixture] { fixture.router->alive->end(); };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(converse(fixture.handler, "78|fin", {}, after).outcome);
  EXPECT_EQ(fixture.router->dialed, (std::vector<Endpoint>{{"dead", 1}, {"alive", 2}, {"alive", 2}, {"alive", 2}}));
}

TEST(ForwardStream, WhenAllTargetsAreDeadTheErrorIsThatOfTheLast) {
  Fixture fixture({{"one", 1}, {"two", 2}});
  fixture.router->dead["one"] = Error{Cause::refused, "one is dead"};
  fixture.router->dead["two"] = Error{Cause::timeout, "two is dead"};
  auto conversation = converse(fixture.handler, "78");
  ASSERT_FALSE(conversation.outcome);
  EXPECT_EQ(conversation.outcome.error().text, "two is dead");
  EXPECT_EQ(fixture.router->dialed.size(), 2U) << "each once";
}

TEST(ForwardStream, ACanceledDialMarksNobodyAndTriesNobodyElse) {
  Fixture fixture({{"one", 1}, {"two", 2}});
  fixture.router->dead["one"] = Error{Cause::canceled, "canceled"};
  EXPECT_EQ(converse(fixture.handler, "78").outcome.error().cause, Cause::canceled);
  EXPECT_EQ(fixture.router->dialed.size(), 1U);
}

TEST(ForwardStream, AnEmptyHostIsLeftToTheRouter) {
  Fixture fixture({{"", 80}});
  auto after = [&fixture] { fixture.router->alive->end(); };
  converse(fixture.handler, "78|fin", {}, after);
  EXPECT_EQ(fixture.router->dialed, (std::vector<Endpoint>{{"", 80}}));
}

TEST(ForwardStream, AnIdleTunnelEndsWhereThatIsWanted) {
  Fixture fixture({{"target", 80}}, 30s);
  auto conversation = converse(fixture.handler, "78");
  EXPECT_TRUE(conversation.outcome) << "an established tunnel that ends is no failure";
  EXPECT_EQ(conversation.took, 30s);
}

}  // namespace
}  // namespace gost::forward
