// A client of the `auto` server: two bytes of stage directions (handler_session.hpp), then what it sends.
#include "judge_socks.hpp"

#include "auto/handler.hpp"
#include "socks4/handler.hpp"
#include "socks5/handler.hpp"

namespace {

using namespace gost;

AutoHandler make_handler(const std::shared_ptr<const Router>& router, std::shared_ptr<const Authenticator> auther) {
  socks4::HandlerOptions four{.auther = auther, .router = router};
  socks5::HandlerOptions five{.auther = std::move(auther), .router = router};
  return AutoHandler({.socks4 = std::make_shared<socks4::SocksHandler>(std::move(four)),
                      .socks5 = std::make_shared<socks5::SocksHandler>(std::move(five))});
}

fuzz::Verdict judge(std::string_view sent, std::string_view received, bool authenticated) {
  if (sent.starts_with('\x04')) return fuzz::judge_socks4(sent, received, authenticated);
  if (sent.starts_with('\x05')) return fuzz::judge_socks5(sent, received, authenticated);
  return {.well_formed = received.empty()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto router = std::make_shared<fuzz::ScriptedRouter>();
  static const AutoHandler open = make_handler(router, nullptr);
  static const AutoHandler closed = make_handler(router, fuzz::some_users());
  fuzz::play({data, size}, open, closed, *router, &judge);
  return 0;
}
