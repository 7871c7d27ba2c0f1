// Connecting to an endpoint whose host may be a name with several addresses (RFC 8305, happy eyeballs).
#pragma once

#include "net/resolver.hpp"
#include "net/socket_options.hpp"
#include "net/stream.hpp"

#include <functional>
#include <vector>

namespace gost {

struct HappyEyeballsOptions {
  Duration resolution_delay = std::chrono::milliseconds(50);  ///< how long IPv4 answers wait for IPv6 ones (§3)
  Duration attempt_delay = std::chrono::milliseconds(250);    ///< between two attempts that hang (§5)
};

/// How one family's addresses are looked up, and how one address is connected to; replaced in tests.
using LookupFunction = std::function<Task<Result<std::vector<IpAddress>>>(std::string host, Family family)>;
using ConnectFunction = std::function<Task<Result<std::unique_ptr<Stream>>>(SocketAddress to)>;

/// Connects to the first address of `to` that answers: both families looked up side by side, IPv6 first, alternating,
/// a new attempt when the last one failed or hangs. The losers are canceled. When all fail, the error of the first
/// attempt.
Task<Result<std::unique_ptr<Stream>>> connect_host(Endpoint to, LookupFunction lookup, ConnectFunction connect,
                                                   HappyEyeballsOptions options = {});

/// The same with a resolver and real sockets. An IP literal or an empty host (the local host) needs no lookup.
Task<Result<std::unique_ptr<Stream>>> connect_host(Endpoint to, Resolver& resolver, SocketOptions options = {});

}  // namespace gost
