// Outbound: the sockets that this machine opens towards targets and first proxies.
#pragma once

#include "component/router.hpp"
#include "net/socket_options.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

/// Where a connection of our own goes: one of `addresses`, or if there are none, to `host` as the system knows it.
struct Destination {
  Endpoint endpoint;
  std::vector<IpAddress> addresses;
};

/// Socket options with what they mean for one requester.
struct OutboundOptions {
  SocketOptions socket;
  bool interface_auto = false;  ///< `interface=auto`: leave from the address to which the client connected
  SocketOptions for_requester(const Requester& from) const;
};

/// The kernel's sockets; replaced in tests. Immutable and shared by all loops.
class Outbound {
 public:
  virtual ~Outbound() = default;
  /// A TCP connection, by happy eyeballs where there are several addresses.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Destination to,
                                                        SocketOptions options) const = 0;
  /// A UDP socket, connected to `peer` if one is given, otherwise for peers of both families.
  virtual Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, std::optional<SocketAddress> peer,
                                                                SocketOptions options) const = 0;
  /// One address of `host` as the system knows it, IPv4 if there is one. An IP literal is itself, an empty host is
  /// the local host.
  virtual Task<Result<IpAddress>> resolve(IoContext& io, std::string host) const = 0;
};

class KernelOutbound final : public Outbound {
 public:
  Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Destination to, SocketOptions options) const override;
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, std::optional<SocketAddress> peer,
                                                        SocketOptions options) const override;
  Task<Result<IpAddress>> resolve(IoContext& io, std::string host) const override;
};

}  // namespace gost
