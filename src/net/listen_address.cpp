#include "net/listen_address.hpp"

#include <netdb.h>

#include <cstring>
#include <memory>

namespace gost {

Result<ListenAddress> parse_listen_address(const std::string& text) {
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return fail(endpoint.error());
  if (text.starts_with(':')) return ListenAddress{{IpAddress::v6({}), endpoint->port}, true, false};
  bool bracketed = text.starts_with('[');
  if (auto ip = IpAddress::parse(endpoint->host))
    return ListenAddress{{*ip, endpoint->port}, bracketed && ip->is_unspecified(), !bracketed};
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;  // or any other: each address once
  addrinfo* found = nullptr;
  if (int status = ::getaddrinfo(endpoint->host.c_str(), nullptr, &hints, &found); status != 0)
    return fail(Cause::host_unreachable, "lookup " + endpoint->host + ": " + ::gai_strerror(status));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  sockaddr_storage native{};
  std::memcpy(&native, found->ai_addr, found->ai_addrlen);
  return ListenAddress{{SocketAddress::from_native(native).ip(), endpoint->port}, false, true};
}

}  // namespace gost
