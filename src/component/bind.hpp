// What BIND of SOCKS4 and of SOCKS5 have in common: a listening socket for one peer, and the wait for it.
#pragma once

#include "component/session.hpp"
#include "net/fd.hpp"
#include "net/tcp.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

struct BindOptions {
  /// What clients are told as the server's address: an IP or a name. Empty: the address to which they connected.
  std::string public_addr;
  Duration accept_timeout = std::chrono::minutes(5);  ///< for the peer to come; 0: however long it takes
};

/// A listening socket that is meant for one peer.
class BindSocket {
 public:
  /// Listens on `local`; with `both_families` (for an unspecified IPv6 address) also on IPv4. `only_from`: the one
  /// peer that is expected, nothing for anybody. The error is an errno.
  static std::expected<BindSocket, int> listen(const SocketAddress& local, bool both_families,
                                               std::optional<IpAddress> only_from);

  int fd() const { return socket_.get(); }
  SocketAddress local() const;
  bool expects(const IpAddress& peer) const { return !only_from_ || *only_from_ == peer; }
  const std::optional<IpAddress>& only_from() const { return only_from_; }

 private:
  BindSocket(Fd socket, std::optional<IpAddress> only_from) : socket_(std::move(socket)), only_from_(only_from) {}
  Fd socket_;
  std::optional<IpAddress> only_from_;
};

/// Listens as the address of a BIND request says. It has two meanings (wire.md §4):
///  - GOST's: an address of this machine, to listen on exactly there. An IPv4 address or an IPv6 one means that
///  family
///    only; an empty host both. Port 0 is any port.
///  - RFC 1928's and SOCKS4's: the peer that the client expects, recognised by not being an address of this machine
///    (binding to it says EADDRNOTAVAIL). Then the socket listens at any port of the address to which the client
///    connected, and only the peer's address is let in. Its port does not count: nobody knows from which port a peer
///    will connect.
/// A name is resolved first. Errors: Cause::other (reply 01, as in GOST) where a socket cannot listen or a name has
/// no address; Cause::address_type where the expected peer can never reach the control connection's address.
GOST_OWN_FRAME Task<Result<BindSocket>> listen_for_peer(Session& session, const Router& router, Endpoint requested);

/// Where the client is told that the server listens: BindOptions::public_addr, else the address to which it
/// connected, and the port of `socket`.
Endpoint announced(const Session& session, const BindOptions& options, const BindSocket& socket);

/// A peer that came, and what the client sent meanwhile.
struct BoundPeer {
  std::unique_ptr<Stream> stream;
  std::vector<std::uint8_t> early;
};

/// Waits for the one peer and closes the socket. Others than the expected one, and those that a rule forbids, are
/// turned away and the wait goes on. What the client sends meanwhile is kept, up to 16 KiB; more stays unread.
/// Errors: Cause::timeout (nobody came in time), Cause::eof or Cause::reset (the client has ended its side first: no
/// answer is due), or the socket's.
GOST_OWN_FRAME Task<Result<BoundPeer>> await_peer(Session& session, const Router& router, BindSocket socket,
                                                  Duration limit);

/// The rest of a BIND after its second reply: gives the peer what the client sent early, then relays as CONNECT does.
GOST_OWN_FRAME Task<Result<>> relay_with_peer(Session& session, BoundPeer peer);

}  // namespace gost
