#include "socks5/handler.hpp"

#include "component/testing/script.hpp"
#include "tls/stream.hpp"
#include "tls/testing/pair.hpp"

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
  EXPECT_EQ(talk(open_, "050180").received, "05ff") << "without a certificate there is no TLS";
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

// wire.md §2.1: the client's order does not matter.
TEST(Socks5Methods, AreChosenAsByGost) {
  auto choose = [](const std::string& methods, bool authentication, Encryption tls) {
    auto bytes = from_hex("05" + methods).value();
    Greeting greeting;
    for (std::size_t i = 1; i < bytes.size(); ++i) greeting.methods.set(bytes[i]);
    return to_hex(std::array{static_cast<std::uint8_t>(choose_method(greeting, authentication, tls))});
  };
  struct Row {
    std::string offered, open_tls, open_plain, closed_tls, closed_plain;
    std::string open_required = open_tls >= "80" ? open_tls : "ff";
    std::string closed_required = closed_tls >= "80" ? closed_tls : "ff";
  };
  const Row rows[] = {
      {"00", "00", "00", "ff", "ff"},       {"02", "ff", "ff", "02", "02"},   {"80", "80", "ff", "ff", "ff"},
      {"82", "ff", "ff", "82", "ff"},       {"0080", "80", "00", "ff", "ff"}, {"8000", "80", "00", "ff", "ff"},
      {"0002", "00", "00", "02", "02"},     {"8202", "ff", "ff", "82", "02"}, {"00028082", "80", "00", "82", "02"},
      {"82800200", "80", "00", "82", "02"}, {"8082", "80", "ff", "82", "ff"}, {"0081fe", "00", "00", "ff", "ff"},
      {"81", "ff", "ff", "ff", "ff"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(choose(row.offered, false, Encryption::offered), row.open_tls) << row.offered;
    EXPECT_EQ(choose(row.offered, false, Encryption::none), row.open_plain) << row.offered;
    EXPECT_EQ(choose(row.offered, false, Encryption::required), row.open_required) << row.offered;
    EXPECT_EQ(choose(row.offered, true, Encryption::offered), row.closed_tls) << row.offered;
    EXPECT_EQ(choose(row.offered, true, Encryption::none), row.closed_plain) << row.offered;
    EXPECT_EQ(choose(row.offered, true, Encryption::required), row.closed_required) << row.offered;
  }
}

/// Clients that begin TLS after the choice of 0x80 or 0x82.
class EncryptedSocks5Handler : public ::testing::Test {
 protected:
  struct Heard {
    std::string chosen;  ///< hex of the answer to the greeting
    std::string inside;  ///< hex of what came inside TLS
    Result<> outcome;    ///< of the handler
    std::string layers;  ///< of the session's stream when everything was said
  };

  Heard talk(const SocksHandler& handler, const std::string& greeting, const std::string& inside,
             const MemoryPipeOptions& pipe = {}) {
    IoContext io{Loop::Time::simulated};
    testing::ServedSession served(io, loggers_, {}, {}, pipe);
    Heard heard;
    io.loop.run(play(io, served, handler, greeting, inside, heard));
    heard.outcome = served.outcome;
    EXPECT_TRUE(served.ended);
    return heard;
  }

  Task<> play(IoContext& io, testing::ServedSession& served, const SocksHandler& handler, const std::string& greeting,
              const std::string& inside, Heard& heard) {
    TaskGroup group(co_await this_scope());
    group.spawn(served.serve(handler));
    co_await served.say(greeting);
    heard.chosen = co_await served.hear(2);
    auto encrypted = co_await tls::tls_connect(io, std::move(served.client), *client_, "");
    if (encrypted) {
      served.client = std::move(*encrypted);
      co_await served.say(inside);
      co_await served.settle();
      if (served.session->client) heard.layers = served.session->client->layers();
      if (!router_->dialed.empty()) router_->end();
      heard.inside = co_await served.hear(1000);
    }
    served.client.reset();
    co_await group.join();
  }

  ConnectionLoggers loggers_;
  std::shared_ptr<ScriptedRouter> router_ = std::make_shared<ScriptedRouter>();
  tls::testing::TrustedEnds ends_;
  std::shared_ptr<const tls::ServerContext> server_{ends_.server()};
  std::unique_ptr<tls::ClientContext> client_ = tls::ClientContext::make({}).value();
  SocksHandler open_{{.router = router_, .tls = server_}};
  SocksHandler closed_{{.auther = std::make_shared<OneUser>(), .router = router_, .tls = server_}};
};

const std::string kLogin = "0104 75736572 04 70617373";

TEST_F(EncryptedSocks5Handler, WhatFollowsTheChoiceIsInside) {
  auto heard = talk(open_, "05020080", kConnect);
  EXPECT_EQ(heard.chosen, "0580");
  EXPECT_EQ(heard.inside, kGranted);
  EXPECT_TRUE(heard.outcome);
  EXPECT_TRUE(heard.layers.ends_with(",tls")) << heard.layers;
  EXPECT_EQ(router_->dialed, (std::vector<Endpoint>{{"localhost", 80}}));
}

TEST_F(EncryptedSocks5Handler, ThePasswordIsInside) {
  auto heard = talk(closed_, "050400028082", kLogin + kConnect);
  EXPECT_EQ(heard.chosen, "0582");
  EXPECT_EQ(heard.inside, "0100" + kGranted);
  auto wrong = talk(closed_, "050400028082", "0104 75736572 00" + kConnect);
  EXPECT_EQ(wrong.inside, "0101");
  EXPECT_EQ(wrong.outcome.error().cause, Cause::auth);
  EXPECT_EQ(router_->dialed.size(), 1U);
}

TEST_F(EncryptedSocks5Handler, RefusalsAreInsideToo) {
  router_->error = Error{Cause::refused, "no"};
  EXPECT_EQ(talk(open_, "050180", kConnect).inside, "05050001000000000000");
  EXPECT_EQ(talk(open_, "050180", "05020001 7f000001 0050").inside, "05020001000000000000");
}

TEST_F(EncryptedSocks5Handler, AnySegmentationIsTheSame) {
  for (std::size_t at_once : {1U, 3U, 100U}) {
    auto heard = talk(closed_, "050182", kLogin + kConnect, {.read_at_most = at_once});
    EXPECT_EQ(heard.inside, "0100" + kGranted) << at_once;
  }
}

TEST_F(EncryptedSocks5Handler, EndsWhereverTheConnectionBreaks) {
  std::size_t step = 0;
  for (; step < 1000; ++step) {
    router_->dialed.clear();
    auto heard = talk(closed_, "050182", kLogin + kConnect, {.fail_at = step});
    if (!router_->dialed.empty()) break;
    ASSERT_FALSE(heard.outcome) << step;
    EXPECT_EQ(heard.outcome.error().cause, Cause::reset) << step << ": " << heard.outcome.error().text;
  }
  EXPECT_GE(step, 6U) << "greeting, choice, two flights of either end";
}

TEST_F(EncryptedSocks5Handler, WhereTlsIsCompulsoryNobodyGetsInWithoutIt) {
  std::shared_ptr<const tls::ServerContext> strict{
      ends_.server({.ca_file = ends_.authority.file(), .compulsory = true})};
  SocksHandler open({.router = router_, .tls = strict});
  SocksHandler closed({.auther = std::make_shared<OneUser>(), .router = router_, .tls = strict});
  auto without = converse(open, "050100|" + kConnect);
  EXPECT_EQ(without.received, "05ff");
  EXPECT_EQ(without.outcome.error().cause, Cause::auth);
  EXPECT_EQ(without.outcome.error().text,
            "bad method: the client does not offer TLS (80), and this handler wants its certificate (tls.caFile)");
  EXPECT_EQ(converse(closed, "05020002|" + kLogin + kConnect).received, "05ff");
  EXPECT_EQ(talk(open, "05020080", kConnect).outcome.error().cause, Cause::auth) << "TLS, but no certificate";
  auto me = ends_.authority.sign("me");
  client_ = tls::ClientContext::make({.cert_file = me.cert, .key_file = me.key}).value();
  EXPECT_TRUE(router_->dialed.empty());
  EXPECT_EQ(talk(open, "05020080", kConnect).inside, kGranted);
}

TEST_F(EncryptedSocks5Handler, PlaintextInsteadOfAClientHelloIsToldAsWhatItIs) {
  auto conversation = converse(open_, "05020080|" + kConnect);
  EXPECT_TRUE(conversation.received.starts_with("0580"));
  EXPECT_EQ(conversation.outcome.error().cause, Cause::protocol);
  EXPECT_TRUE(conversation.outcome.error().text.starts_with(
      "tls: first record does not look like a TLS handshake: the client speaks plain SOCKS5"))
      << conversation.outcome.error().text;
  EXPECT_TRUE(router_->dialed.empty());
}

TEST_F(EncryptedSocks5Handler, TheTlsHandshakeCountsForTheOneDeadline) {
  for (auto stalled : {"050180", "050180|16", "050180|1603010200010001fc0303"}) {
    auto conversation = converse(open_, stalled);
    EXPECT_EQ(conversation.took, 15s) << stalled;
    EXPECT_EQ(conversation.outcome.error().cause, Cause::timeout) << stalled;
    EXPECT_EQ(conversation.outcome.error().text, "handshake: tls handshake: i/o timeout");
  }
}

}  // namespace
}  // namespace gost::socks5
