#include "socks5/handler.hpp"

#include "component/testing/script.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::Conversation;
using testing::converse;
using testing::ScriptedRouter;

class OneUser final : public Authenticator {
 public:
  bool check(std::string_view user, std::string_view password) const override {
    return user == "user" && password == "pass";
  }
};

class Socks5Handler : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedRouter> router_ = std::make_shared<ScriptedRouter>();
  SocksHandler open_{{.router = router_}};
  SocksHandler closed_{{.auther = std::make_shared<OneUser>(), .router = router_}};

  Conversation talk(const SocksHandler& handler, const std::string& hex, const MemoryPipeOptions& pipe = {}) {
    return converse(handler, hex, pipe, [this] { router_->end(); });
  }
};

const std::string kConnect = "05010003 09 6c6f63616c686f7374 0050";
const std::string kGranted = "05000001000000000000";

TEST_F(Socks5Handler, ConnectsWithoutAuthentication) {
  auto conversation = talk(open_, "050100|" + kConnect);
  EXPECT_EQ(conversation.received, "0500" + kGranted);
  EXPECT_TRUE(conversation.outcome);
  EXPECT_EQ(router_->dialed, (std::vector<Endpoint>{{"localhost", 80}}));
}

TEST_F(Socks5Handler, AcceptsAnySegmentationAndEverythingAtOnce) {
  for (std::size_t at_once : {1U, 2U, 5U, 1000U})
    EXPECT_EQ(talk(closed_, "050102 0104 75736572 04 70617373" + kConnect, {.read_at_most = at_once}).received,
              "05020100" + kGranted)
        << at_once;
}

TEST_F(Socks5Handler, APayloadBehindTheRequestReachesTheTarget) {
  std::array<std::uint8_t, 16> got{};
  auto conversation = converse(open_, "050100" + kConnect + "70696e67", {}, [&] {
    EXPECT_EQ(router_->target().try_read(got).bytes, 4U);
    router_->end();
  });
  EXPECT_EQ(as_text(Bytes(got).first(4)), "ping");
}

TEST_F(Socks5Handler, AuthenticationIsRequiredOfEverybody) {
  EXPECT_EQ(talk(closed_, "050100|" + kConnect).received, "05ff");
  EXPECT_EQ(talk(closed_, "050102|0104 75736572 04 70617373|" + kConnect).received, "05020100" + kGranted);
  for (auto wrong : {"0104 75736572 04 70617374", "0104 75736573 04 70617373", "0104 75736572 00", "010000"}) {
    auto conversation = talk(closed_, std::string("050102|") + wrong + "|" + kConnect);
    EXPECT_EQ(conversation.received, "05020101") << wrong;
    EXPECT_EQ(conversation.outcome.error().cause, Cause::auth);
  }
  EXPECT_EQ(router_->dialed.size(), 1U);
}

TEST_F(Socks5Handler, AnOpenServerChoosesNoAuthenticationOnly) {
  EXPECT_EQ(talk(open_, "05020200|fin").received, "0500");
  EXPECT_EQ(talk(open_, "050102").received, "05ff");
  EXPECT_EQ(talk(open_, "050180").received, "05ff") << "TLS is not available yet";
}

TEST_F(Socks5Handler, WhatIsNotSocksIsClosedWithoutAnswer) {
  for (auto garbage : {"04", "0500", "474554202f", "ffffffff"})
    EXPECT_EQ(talk(open_, garbage).received, "") << garbage;
  EXPECT_EQ(talk(open_, "050100|04010001 7f000001 0050").received, "0500");
  EXPECT_EQ(talk(closed_, "050102|0204").received, "0502");
}

TEST_F(Socks5Handler, RefusalsSayTheTruth) {
  const std::pair<Cause, std::string> replies[] = {
      {Cause::other, "01"},
      {Cause::denied, "02"},
      {Cause::network_unreachable, "03"},
      {Cause::host_unreachable, "04"},
      {Cause::refused, "05"},
      {Cause::timeout, "06"},
      {Cause::address_type, "08"},
  };
  for (auto& [cause, code] : replies) {
    router_->error = Error{cause, "no"};
    auto conversation = talk(open_, "050100|" + kConnect);
    EXPECT_EQ(conversation.received, "050005" + code + "0001000000000000");
    EXPECT_EQ(conversation.outcome.error().cause, cause);
  }
}

TEST_F(Socks5Handler, CommandsThatAreOffOrUnknownAreRefused) {
  auto reply_to = [&](const std::string& command) {
    return talk(open_, "050100|05" + command + "0001 7f000001 0050").received.substr(4, 4);
  };
  for (auto off : {"02", "03", "f2", "f3"}) EXPECT_EQ(reply_to(off), "0502") << off;
  for (auto unknown : {"00", "04", "f0", "f1", "ff"}) EXPECT_EQ(reply_to(unknown), "0507") << unknown;
  EXPECT_EQ(talk(open_, "050100|05010002").received, "050005080001000000000000");
}

TEST_F(Socks5Handler, CommandsThatThisBuildLacksStayRefusedWithEverythingOn) {
  SocksHandler everything({.router = router_, .bind = true, .udp = true});
  auto mbind = talk(everything, "050100|05f20001 7f000001 0050");
  EXPECT_EQ(mbind.received, "050005020001000000000000");
  EXPECT_EQ(mbind.outcome.error().text, "socks5: MBIND is not available in this build");
  for (auto resolve : {"f0", "f1"})
    EXPECT_EQ(talk(everything, std::string("050100|05") + resolve + "0001 7f000001 0050").received,
              "050005070001000000000000");
}

TEST_F(Socks5Handler, AHandshakeHasOneDeadline) {
  for (auto hex : {"", "05", "050100", "050100|05010003"}) {
    auto conversation = talk(open_, hex);
    EXPECT_EQ(conversation.took, 15s) << hex;
    EXPECT_EQ(conversation.outcome.error().cause, Cause::timeout) << hex;
  }
}

TEST_F(Socks5Handler, EndsWhereverTheConnectionBreaks) {
  for (std::size_t step = 0; step < 7; ++step) {
    auto conversation = talk(closed_, "050102|0104 75736572 04 70617373|" + kConnect, {.fail_at = step});
    EXPECT_TRUE(conversation.ended);
    EXPECT_FALSE(conversation.outcome) << step;
    EXPECT_EQ(conversation.outcome.error().cause, Cause::reset) << step;
  }
}

TEST_F(Socks5Handler, ANameAndAPasswordMayHave255Bytes) {
  std::string user(510, '6');
  EXPECT_EQ(talk(closed_, "050102|01ff" + user + "ff" + user).received, "05020101");
  EXPECT_EQ(talk(open_, "050100|05010003ff" + user + "0050").received, "0500" + kGranted);
  EXPECT_EQ(router_->dialed.back().host, std::string(255, 'f'));
}

}  // namespace
}  // namespace gost::socks5
