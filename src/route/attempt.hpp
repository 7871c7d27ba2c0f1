// Attempt: one try to reach a target along one path, by CONNECT through one proxy after the other.
#pragma once

#include "route/path_finder.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace gost {

/// What an attempt uses besides its path. Refers to what the router and the request own.
struct AttemptContext {
  IoContext& io;
  const Outbound& outbound;
  const Requester& from;
  const OutboundOptions& own;  ///< for paths without a node
};

/// Lives for one attempt. Node number k is reached through the nodes before it; whatever fails on the way is blamed
/// on the first node that could not be reached or did not let us in, and its error names it.
class Attempt {
 public:
  Attempt(const AttemptContext& context, const Path& path);
  ~Attempt();

  /// A stream to `to` from the end of the path. `to.addresses` serve a path without a proxy; a proxy gets the
  /// endpoint's host.
  Task<Result<std::unique_ptr<Stream>>> connect(Destination to);
  /// A way for datagrams to anywhere from the end of the path; as of Router::open_datagram().
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(std::optional<SocketAddress> only_peer);

  /// Ports at the end of the path; as of Router::bind() and bind_datagram(). A path without a proxy listens here.
  Task<Result<std::unique_ptr<RemoteBind>>> bind(Endpoint at);
  Task<Result<std::unique_ptr<Datagram>>> bind_datagram(Endpoint at);

  /// The node of the path that failed; nothing if each did its part and the target cannot be reached.
  const std::optional<NodeFailure>& failure() const { return failure_; }

 private:
  class NodeUnderlay;
  class RawNodeConnection;

  /// The step whose proxy is to bind a port, or nothing where that is this machine.
  Result<std::optional<std::size_t>> binder(const Endpoint& at) const;
  const Node& node(std::size_t step) const { return *path_.steps[step].node; }
  Task<Result<std::unique_ptr<Stream>>> connect_from(std::size_t steps, Destination to);
  Task<Result<std::unique_ptr<Datagram>>> open_datagram_from(std::size_t steps,
                                                             std::optional<SocketAddress> only_peer);
  Task<Result<std::unique_ptr<Stream>>> connect_by_proxy(std::size_t step, Endpoint target);
  Task<Result<std::unique_ptr<Datagram>>> open_datagram_by_proxy(std::size_t step);
  Task<Result<std::unique_ptr<Datagram>>> open_datagram_to_node(std::size_t step);
  Task<Result<std::unique_ptr<Datagram>>> open_datagram_to(std::size_t steps, const OutboundOptions& first,
                                                           SocketAddress peer);
  /// As of RawConnection, for the proxy of a step.
  Task<Result<std::unique_ptr<Stream>>> open_raw(std::size_t step);
  Task<Result<std::unique_ptr<Datagram>>> open_raw_datagram(std::size_t step);
  Task<Result<Destination>> address_of(std::size_t step);

  /// Decides who is to blame for `error` of the connector of `step` about something in `network`, and names it.
  Error judge(std::size_t step, Network network, const Error& error);
  /// The same where a connector may not be able to do it at all, and then does not even try to reach its proxy.
  Error judge_ability(std::size_t step, Network network, const Error& error);
  const OutboundOptions& outbound_of(std::size_t steps) const;

  AttemptContext context_;
  const Path& path_;
  std::deque<NodeUnderlay> underlays_;
  std::optional<NodeFailure> failure_;
};

}  // namespace gost
