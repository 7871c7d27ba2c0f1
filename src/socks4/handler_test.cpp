#include "socks4/handler.hpp"

#include "component/testing/script.hpp"

namespace gost::socks4 {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::ScriptedRouter;

class OneUser final : public Authenticator {
 public:
  bool check(std::string_view user, std::string_view password) const override {
    return user == "bob" && password.empty();
  }
};

class Socks4Handler : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedRouter> router_ = std::make_shared<ScriptedRouter>();
  SocksHandler open_{{.router = router_}};
  SocksHandler closed_{{.auther = std::make_shared<OneUser>(), .router = router_}};

  testing::Conversation talk(const SocksHandler& handler, const std::string& hex,
                             const MemoryPipeOptions& pipe = {}) {
    return converse(handler, hex, pipe, [this] { router_->end(); });
  }
};

const std::string kGranted = "005a000000000000";

TEST_F(Socks4Handler, ConnectsToAddressesAndNames) {
  EXPECT_EQ(talk(open_, "040100507f00000100").received, kGranted);
  EXPECT_EQ(talk(open_, "0401005000000001 626f6200 6c6f63616c686f737400", {.read_at_most = 1}).received, kGranted);
  EXPECT_EQ(router_->dialed, (std::vector<Endpoint>{{"127.0.0.1", 80}, {"localhost", 80}}));
}

TEST_F(Socks4Handler, APayloadBehindTheRequestReachesTheTarget) {
  std::array<std::uint8_t, 16> got{};
  converse(open_, "040100507f000001 626f6200 70696e67", {}, [&] {
    EXPECT_EQ(router_->target().try_read(got).bytes, 4U);
    router_->end();
  });
  EXPECT_EQ(as_text(Bytes(got).first(4)), "ping");
}

TEST_F(Socks4Handler, TheUserIdIsCheckedWithAnEmptyPassword) {
  EXPECT_EQ(talk(closed_, "040100507f000001 626f6200").received, kGranted);
  EXPECT_EQ(talk(closed_, "040100507f000001 626f6300").received, "005d000000000000");
  EXPECT_EQ(talk(closed_, "040100507f000001 00").received, "005d000000000000");
  EXPECT_EQ(router_->dialed.size(), 1U);
}

TEST_F(Socks4Handler, RefusalsTellRulesFromFailures) {
  router_->error = Error{Cause::refused, "no"};
  EXPECT_EQ(talk(open_, "040100507f00000100").received, "005b000000000000");
  router_->error = Error{Cause::denied, "no"};
  EXPECT_EQ(talk(open_, "040100507f00000100").received, "005c000000000000");
  EXPECT_EQ(talk(open_, "040200507f00000100").received, "005b000000000000") << "BIND is off";
}

TEST_F(Socks4Handler, MalformedAndUnfinishedRequestsGetNoAnswer) {
  EXPECT_EQ(talk(open_, "0501").received, "");
  EXPECT_EQ(talk(open_, "0403").received, "");
  auto unfinished = talk(open_, "040100507f000001 626f62");
  EXPECT_EQ(unfinished.received, "");
  EXPECT_EQ(unfinished.took, 15s);
  EXPECT_EQ(unfinished.outcome.error().cause, Cause::timeout);
}

TEST_F(Socks4Handler, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 0; step < 2; ++step)
    EXPECT_EQ(talk(open_, "040100507f00000100", {.fail_at = step}).outcome.error().cause, Cause::reset) << step;
}

}  // namespace
}  // namespace gost::socks4
