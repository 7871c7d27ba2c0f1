// Connector and Dialer: the two halves of a proxy in a chain. The dialer makes the transport to it (tcp, tls, …), the
// connector asks it for a target (socks4, socks5, …).
#pragma once

#include "component/remote_bind.hpp"
#include "core/address.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

/// How a connector looks names up where its protocol wants addresses: those of one family, at least one. Empty: with
/// the resolver of the loop.
using NameLookup =
    std::function<Task<Result<std::vector<IpAddress>>>(IoContext& io, std::string host, Family family)>;

/// The first address of `host` in one family; an IP literal is itself. Errors: Cause::address_type for a literal of
/// the other family, else those of the lookup.
Task<Result<IpAddress>> look_up(IoContext& io, const NameLookup& lookup, std::string host, Family family);

/// The way to one proxy: directly to the first of a chain, through the earlier ones to each later one. Lives for the
/// time of one request, on one loop.
class Underlay {
 public:
  virtual ~Underlay() = default;
  /// A new stream to the proxy, its transport made. May be called more than once.
  virtual Task<Result<std::unique_ptr<Stream>>> open_stream() = 0;
  /// A way for datagrams to `peer` from the place where this proxy is reached from: a connected socket for the first
  /// one, the datagrams of the earlier proxies for a later one.
  virtual Task<Result<std::unique_ptr<Datagram>>> open_datagram(SocketAddress peer) = 0;
  /// The proxy's address as configured.
  virtual const Endpoint& proxy() const = 0;
  /// Whether it is the first of a chain: then the remote() of a stream to it is its own address.
  virtual bool direct() const { return true; }
  /// Said by a connector when the proxy has let it in (its greeting and credentials are through): what fails from now
  /// on tells about the target and no longer about the proxy, which is therefore not marked as failed.
  virtual void admitted() {}
};

/// Immutable and shared by all loops but for what it learns about its proxy (atomics).
class Connector {
 public:
  virtual ~Connector() = default;

  /// Asks the proxy for a stream to `target`. Errors carry the proxy's own reason as cause and text ("socks5:
  /// connection refused (reply 05)"). An error of the underlay is passed on as it is.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Underlay& underlay, Endpoint target) const = 0;

  /// Asks the proxy for a way for datagrams to anywhere. The default: it has none.
  virtual Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, Underlay& underlay) const;

  /// How long its conversation with the proxy may take by its own options; negative: as long as it likes.
  virtual Duration time_limit() const { return Duration::zero(); }
  /// Asks the proxy to listen for TCP connections at `at`: an address of its own, an empty host for all of them, port
  /// 0 for any. The default: it cannot (Cause::command, and nothing is opened).
  virtual Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext&, Underlay& underlay, Endpoint) const {
    co_return fail(Cause::command, "the proxy " + underlay.proxy().to_string() + " cannot bind ports");
  }
  /// The same for UDP: datagrams come from whoever sends to that port, and go to whoever is named.
  virtual Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext&, Underlay& underlay, Endpoint) const {
    co_return fail(Cause::command, "the proxy " + underlay.proxy().to_string() + " cannot bind ports");
  }
};

/// How the way to a proxy begins: a plain TCP connection to its address, or one through the proxies before it.
class RawConnection {
 public:
  virtual ~RawConnection() = default;
  virtual Task<Result<std::unique_ptr<Stream>>> open() = 0;
  /// The same for datagrams: to the proxy's address and from it, whatever peer a send names.
  virtual Task<Result<std::unique_ptr<Datagram>>> open_datagram() = 0;
};

/// Immutable and shared by all loops; what it keeps for later requests (mux sessions) it keeps per loop.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// Makes the transport over a connection from `raw`, or on one that it has already: then it leaves `raw` alone.
  virtual Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const = 0;
};

}  // namespace gost
