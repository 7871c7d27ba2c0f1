#include "auto/handler.hpp"

#include "component/testing/script.hpp"
#include "socks4/handler.hpp"
#include "socks5/handler.hpp"

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::ScriptedRouter;

class Auto : public ::testing::Test {
 protected:
  std::shared_ptr<ScriptedRouter> router_ = std::make_shared<ScriptedRouter>();
  AutoHandler handler_{{.socks4 = std::make_shared<socks4::SocksHandler>(socks4::HandlerOptions{.router = router_}),
                        .socks5 = std::make_shared<socks5::SocksHandler>(socks5::HandlerOptions{.router = router_})}};

  testing::Conversation talk(const std::string& hex, const MemoryPipeOptions& pipe = {}) {
    return converse(handler_, hex, pipe, [this] { router_->end(); });
  }
};

TEST_F(Auto, TheFirstByteDecides) {
  EXPECT_EQ(talk("040100507f00000100", {.read_at_most = 1}).received, "005a000000000000");
  EXPECT_EQ(talk("05|0100|050100017f0000010050").received, "050005000001000000000000");
}

TEST_F(Auto, OtherProtocolsAreRefusedWithASentenceThatNamesThem) {
  auto http = talk("474554202f");
  EXPECT_EQ(http.received, "");
  EXPECT_NE(http.outcome.error().text.find("HTTP"), std::string::npos);
  EXPECT_NE(talk("160301").outcome.error().text.find("TLS"), std::string::npos);
  EXPECT_NE(talk("00").outcome.error().text.find("first byte is 0"), std::string::npos);
}

TEST_F(Auto, SilenceEndsAfterTheReadTimeout) {
  EXPECT_EQ(talk("").took, 15s);
  EXPECT_EQ(talk("fin").outcome.error().cause, Cause::eof);
}

}  // namespace
}  // namespace gost
