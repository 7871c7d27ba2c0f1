// A client of the SOCKS4 server: two bytes of stage directions (handler_session.hpp), then what it sends.
#include "judge_socks.hpp"

#include "socks4/handler.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  static const auto router = std::make_shared<fuzz::ScriptedRouter>();
  static const socks4::SocksHandler open({.router = router});
  static const socks4::SocksHandler closed({.auther = fuzz::some_users(), .router = router});
  fuzz::play({data, size}, open, closed, *router, &fuzz::judge_socks4);
  return 0;
}
