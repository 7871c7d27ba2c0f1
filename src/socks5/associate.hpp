// The UDP ASSOCIATE command of the SOCKS5 server (RFC 1928 §7, wire.md §7.2).
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "socks5/association_limit.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace gost::socks5 {

/// How the server relays datagrams.
struct UdpOptions {
  /// The longest datagram: of the client with its header, of a target without (as GOST's buffer, wire.md §7.2).
  std::size_t buffer_size = 4096;
  /// What ASSOCIATE tells clients as the relay's address, if it is an IP; else the address to which they connected.
  std::string public_addr;
  /// The ports for relays of ASSOCIATE, both included; a minimum of 0 means the kernel's choice.
  std::uint16_t port_min = 0;
  std::uint16_t port_max = 0;
  /// An association or tunnel ends when no datagram passes for this long, 0: never. Nothing: 5 minutes for an
  /// association and a relay tunnel, never for a tunnel that is bound to a port (its peers may come at any time).
  std::optional<Duration> idle_timeout;
  bool batching = true;                ///< SocketOptions::batching of the sockets towards clients
  std::size_t max_associations = 256;  ///< of one client address at a time; 0: any number

  Duration relay_idle_timeout() const { return idle_timeout.value_or(std::chrono::minutes(5)); }
  Duration bind_idle_timeout() const { return idle_timeout.value_or(Duration::zero()); }
};

/// Serves UDP ASSOCIATE to its end, which is the end of the control connection, of the way to the targets, or of its
/// idle time. Replies 01 if the client has too many associations or no relay can be opened, and the router's reason
/// if there is no way to the targets.
GOST_OWN_FRAME Task<Result<>> serve_associate(Session& session, const Router& router, const UdpOptions& options,
                                              AssociationLimit& limit, Endpoint requested);

}  // namespace gost::socks5
