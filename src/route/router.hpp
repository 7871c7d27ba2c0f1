// ChainRouter: the way from a service to its targets, directly or through its chain.
#pragma once

#include "component/router.hpp"
#include "observe/log.hpp"
#include "policy/bypass.hpp"
#include "route/attempt.hpp"
#include "route/hop.hpp"

#include <memory>

namespace gost {

struct RouterOptions {
  std::shared_ptr<const ChainGroup> chains;  ///< null: directly
  std::shared_ptr<const Bypass> bypass;      ///< targets that are refused; may be null
  NameRules names;                           ///< for targets
  OutboundOptions outbound;                  ///< for direct connections
  /// `dialTimeout`: for each attempt, names and handshakes included. A connector with a longer `timeout` has that.
  Duration timeout = std::chrono::seconds(15);
  int retries = 0;              ///< further attempts, see PathFinder
  bool hash_by_target = false;  ///< `hash=host`: Strategy::hash goes by the target, else by the client
  Logger log;                   ///< tells of nodes that failed and were replaced
  std::shared_ptr<const Outbound> sockets = std::make_shared<const KernelOutbound>();
};

/// With a chain, a connection is direct only where a bypass of its first hop says so; a chain of which nothing works
/// is an error. The error of a request is that of its last attempt.
class ChainRouter final : public Router {
 public:
  explicit ChainRouter(RouterOptions options) : options_(std::move(options)) {}

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, Endpoint target, Requester from) const override;
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, Requester from) const override;
  Task<Result<DatagramWay>> open_datagram_to(IoContext& io, Endpoint target, Requester from) const override;
  Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext& io, Endpoint at, Requester from) const override;
  Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext& io, Endpoint at, Requester from) const override;
  Task<Result<IpAddress>> resolve(IoContext& io, std::string host) const override;
  bool forbids(Network network, std::string_view host, std::uint16_t port) const override;

 private:
  /// The target as hosts and resolver have it. Uses up `retries` when that fails.
  Task<Result<Destination>> destination(IoContext& io, Endpoint target, int& retries) const;
  /// `at` with its name looked up here, as GOST does; what does not exist here may exist at the end of the chain.
  Task<Endpoint> looked_up(IoContext& io, Endpoint at) const;
  RouteRequest request(Network network, std::optional<Endpoint> target, const Requester& from) const;
  /// Makes attempts with `reach`, a function from Attempt& to Task<Result<T>>, until one succeeds or none is left.
  template <class T, class Reach>
  Task<Result<T>> along_paths(IoContext& io, const RouteRequest& request, const Requester& from, int retries,
                              const Reach& reach) const;
  /// Logs why another attempt is made.
  void tell(const Error& error, std::optional<NodeFailure> failed, const Path& next) const;

  RouterOptions options_;
};

}  // namespace gost
