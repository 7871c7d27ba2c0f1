#include "route/outbound.hpp"

#include "net/happy_eyeballs.hpp"
#include "net/tcp.hpp"
#include "net/udp.hpp"

namespace gost {

namespace {

Task<Result<std::unique_ptr<Stream>>> connect_address(SocketAddress to, SocketOptions options) {
  auto stream = co_await connect_tcp(to, options);
  if (!stream) co_return fail(std::move(stream.error()));
  co_return std::move(*stream);
}

/// The addresses that are known already, as a lookup.
Task<Result<std::vector<IpAddress>>> pick(std::vector<IpAddress> known, std::string host, Family family) {
  std::erase_if(known, [family](const IpAddress& ip) { return ip.is_v4() != (family == Family::v4); });
  if (known.empty()) co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
  co_return known;
}

}  // namespace

SocketOptions OutboundOptions::for_requester(const Requester& from) const {
  SocketOptions options = socket;
  if (interface_auto) options.interface = from.local.ip().is_unspecified() ? "" : from.local.ip().to_string();
  return options;
}

Task<Result<std::unique_ptr<Stream>>> KernelOutbound::connect(IoContext& io, Destination to,
                                                              SocketOptions options) const {
  if (to.addresses.empty()) co_return co_await connect_host(std::move(to.endpoint), io.resolver, std::move(options));
  if (to.addresses.size() == 1)
    co_return co_await connect_address(SocketAddress(to.addresses.front(), to.endpoint.port), std::move(options));
  LookupFunction lookup = [&to](std::string host, Family family) {
    return pick(to.addresses, std::move(host), family);
  };
  ConnectFunction connect = [&options](SocketAddress address) { return connect_address(address, options); };
  co_return co_await connect_host(to.endpoint, std::move(lookup), std::move(connect));
}

Task<Result<std::unique_ptr<Datagram>>> KernelOutbound::open_datagram(IoContext& io,
                                                                      std::optional<SocketAddress> peer,
                                                                      SocketOptions options) const {
  UdpOptions udp;
  udp.socket = std::move(options);
  auto socket = peer ? UdpSocket::connect(io.loop, *peer, udp) : UdpSocket::open(io.loop, udp);
  if (!socket) co_return fail(std::move(socket.error()));
  co_return std::move(*socket);
}

Task<Result<IpAddress>> KernelOutbound::resolve(IoContext& io, std::string host) const {
  if (host.empty()) co_return IpAddress::v4({127, 0, 0, 1});
  if (auto ip = IpAddress::parse(host)) co_return ip->unmapped();
  auto addresses = co_await io.resolver.lookup(host, Family::v4);
  bool none = !addresses && addresses.error().cause == Cause::host_unreachable;
  if (none) addresses = co_await io.resolver.lookup(std::move(host), Family::v6);
  if (!addresses) co_return fail(std::move(addresses.error()));
  co_return addresses->front();
}

}  // namespace gost
