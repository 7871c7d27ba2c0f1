#include "component/connector.hpp"

namespace gost {

Task<Result<IpAddress>> look_up(IoContext& io, const NameLookup& lookup, std::string host, Family family) {
  if (auto literal = IpAddress::parse(host)) {
    IpAddress ip = literal->unmapped();
    if (ip.is_v4() == (family == Family::v4)) co_return ip;
    co_return fail(Cause::address_type,
                   "address " + host + ": not an " + (ip.is_v4() ? "IPv6" : "IPv4") + " address");
  }
  auto found = co_await (lookup ? lookup(io, host, family) : io.resolver.lookup(host, family));
  if (!found) co_return fail(std::move(found.error()));
  if (found->empty()) co_return fail(Cause::host_unreachable, "lookup " + host + ": no address");
  co_return found->front().unmapped();
}

Task<Result<std::unique_ptr<Datagram>>> Connector::open_datagram(IoContext&, Underlay& underlay) const {
  co_return fail(Cause::command, "the proxy " + underlay.proxy().to_string() + " does not carry datagrams");
}

}  // namespace gost
