// A SOCKS4 proxy as our client meets it: three bytes of stage directions (connector_session.hpp), then its words.
#include "connector_session.hpp"

#include "socks4/connector.hpp"

namespace {

using namespace gost;

Task<Result<std::vector<IpAddress>>> look_up_scripted(IoContext&, std::string, Family) {
  co_return std::vector{IpAddress::v4({10, 0, 0, 1})};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto named = socks4::make_connector({.user = "bob"}).value();
  static const auto numbered = socks4::make_connector({.disable4a = true, .lookup = &look_up_scripted}).value();
  auto choose = [](std::uint8_t variant) { return (variant & 1) != 0 ? numbered : named; };
  fuzz::play_connector({data, size}, choose);
  return 0;
}
