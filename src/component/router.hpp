// Router: where connections and datagrams to targets come from.
#pragma once

#include "component/remote_bind.hpp"
#include "core/address.hpp"
#include "core/network.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gost {

/// On whose behalf something is opened: what selectors hash, and what `interface=auto` means.
struct Requester {
  SocketAddress client;  ///< the client's address
  SocketAddress local;   ///< to which of our addresses it connected
  std::string user;      ///< its authenticated name, or empty
};

/// Datagrams to one peer, and where that is.
struct DatagramWay {
  std::unique_ptr<Datagram> datagrams;
  SocketAddress peer;
};

/// The way from one service to its targets: its bypass, hosts and resolver, and its chain if it has one. Immutable
/// and shared by all loops.
class Router {
 public:
  virtual ~Router() = default;

  /// A stream to `target` that belongs to the loop of `io`, within the router's own time limit. Errors carry the
  /// cause by which a handler chooses its reply (Cause::denied for a bypass) and name the hop that failed.
  virtual Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, Endpoint target, Requester from) const = 0;

  /// A way for datagrams that go to and come from anywhere. Errors as of dial().
  virtual Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, Requester from) const = 0;
  /// A way for datagrams to `target` alone, to which the rules apply as in dial(); its name is looked up as resolve()
  /// does. Without a chain only the target can answer. Errors as of dial().
  virtual Task<Result<DatagramWay>> open_datagram_to(IoContext& io, Endpoint target, Requester from) const = 0;

  /// Listens for TCP connections at `at`, an address of the machine where the chain ends: with an empty host at all
  /// of them, at port 0 at any port. Errors as of dial(); Cause::command where the last proxy cannot bind. The
  /// default: no router of ports.
  virtual Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext&, Endpoint, Requester) const {
    co_return fail(Cause::command, "ports cannot be bound here");
  }
  /// The same for UDP: datagrams come from whoever sends to that port, and go to whoever is named.
  virtual Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext&, Endpoint, Requester) const {
    co_return fail(Cause::command, "ports cannot be bound here");
  }

  /// The address to which datagrams for `host` go where names cannot be passed on: hosts, the service's resolver, the
  /// system's. An IP literal is itself; an empty host is the local host.
  virtual Task<Result<IpAddress>> resolve(IoContext& io, std::string host) const = 0;

  /// True if a rule of the service forbids this target. dial() and open_datagram_to() ask by themselves; whoever
  /// sends datagrams to anywhere has to.
  virtual bool forbids(Network network, std::string_view host, std::uint16_t port) const = 0;
};

}  // namespace gost
