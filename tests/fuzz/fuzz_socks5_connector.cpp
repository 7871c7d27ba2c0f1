// A SOCKS5 proxy as our client meets it: three bytes of stage directions (connector_session.hpp), then its words.
#include "connector_session.hpp"

#include "socks5/connector.hpp"

namespace {

using namespace gost;

Task<Result<std::vector<IpAddress>>> look_up_scripted(IoContext&, std::string host, Family) {
  if (host.size() % 2 == 0) co_return fail(Cause::host_unreachable, "no such host");
  co_return std::vector{IpAddress::v4({10, 0, 0, 1})};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // New ones for each input: a connector remembers what its proxy refused.
  auto choose = [](std::uint8_t variant) -> std::shared_ptr<const Connector> {
    socks5::ConnectorOptions options{.relay_udp = (variant & 2) != 0, .lookup = &look_up_scripted};
    if ((variant & 1) != 0) options.user = "user";
    return socks5::make_connector(std::move(options)).value();
  };
  fuzz::play_connector({data, size}, choose);
  return 0;
}
