#include "route/attempt.hpp"

#include "route/own_port.hpp"
#include "route/peer_datagram.hpp"

namespace gost {

class Attempt::RawNodeConnection final : public RawConnection {
 public:
  RawNodeConnection(Attempt& attempt, std::size_t step) : attempt_(attempt), step_(step) {}
  Task<Result<std::unique_ptr<Stream>>> open() override {
    used_ = true;
    return attempt_.open_raw(step_);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram() override {
    used_ = true;
    return attempt_.open_raw_datagram(step_);
  }

  bool used() const { return used_; }

 private:
  Attempt& attempt_;
  std::size_t step_;
  bool used_ = false;
};

/// The way to the proxy of one step.
class Attempt::NodeUnderlay final : public Underlay {
 public:
  NodeUnderlay(Attempt& attempt, std::size_t step) : attempt_(attempt), step_(step) {}

  Task<Result<std::unique_ptr<Stream>>> open_stream() override {
    admitted_ = false;
    opened_ = false;
    RawNodeConnection raw(attempt_, step_);
    auto stream = co_await attempt_.node(step_).options.dialer->dial(attempt_.context_.io, raw);
    opened_ = stream.has_value();
    reused_ = opened_ && !raw.used();
    co_return stream;
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(SocketAddress peer) override {
    return attempt_.open_datagram_to(step_, attempt_.node(step_).options.outbound, peer);
  }
  const Endpoint& proxy() const override { return attempt_.node(step_).options.address; }
  bool direct() const override { return step_ == 0; }
  void admitted() override {
    admitted_ = true;
    attempt_.node(step_).candidate.succeeded();
  }

  bool is_opened() const { return opened_; }
  bool is_admitted() const { return admitted_; }
  /// The stream is one of a connection that was there before this request.
  bool is_reused() const { return reused_; }

 private:
  Attempt& attempt_;
  std::size_t step_;
  bool opened_ = false;
  bool admitted_ = false;
  bool reused_ = false;
};

namespace {

/// Whether an error of a connector, after its stream was there, tells about the proxy itself; for connectors that do
/// not say when they were let in.
bool is_of_the_proxy(Cause cause) {
  switch (cause) {
  case Cause::auth:
  case Cause::protocol:
  case Cause::eof:
  case Cause::reset:
  case Cause::timeout: return true;
  default: return false;
  }
}

/// Whether the proxy has ended a conversation rather than refused something.
bool broke_off(Cause cause) {
  return cause == Cause::protocol || cause == Cause::eof || cause == Cause::reset;
}

}  // namespace

Attempt::Attempt(const AttemptContext& context, const Path& path) : context_(context), path_(path) {
  for (std::size_t step = 0; step < path.steps.size(); ++step) underlays_.emplace_back(*this, step);
}

Attempt::~Attempt() = default;

Task<Result<std::unique_ptr<Stream>>> Attempt::connect(Destination to) {
  return connect_from(path_.steps.size(), std::move(to));
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_datagram(std::optional<SocketAddress> only_peer) {
  return open_datagram_from(path_.steps.size(), only_peer);
}

Task<Result<std::unique_ptr<Stream>>> Attempt::connect_from(std::size_t steps, Destination to) {
  // A `direct` node in front of which there is a proxy adds nothing to the way.
  while (steps > 0 && node(steps - 1).options.kind == NodeKind::direct && steps > 1) --steps;
  if (steps == 0 || node(steps - 1).options.kind == NodeKind::direct)
    co_return co_await context_.outbound.connect(context_.io, std::move(to),
                                                 outbound_of(steps).for_requester(context_.from));
  const PathStep& last = path_.steps[steps - 1];
  switch (last.node->options.kind) {
  case NodeKind::reject:
    co_return fail(Cause::denied, last.label() + ": " + to.endpoint.to_string() + " is refused by action=reject");
  case NodeKind::datagrams: co_return fail(Cause::command, last.label() + ": dialer 'udp' carries datagrams only");
  default: break;
  }
  co_return co_await connect_by_proxy(steps - 1, std::move(to.endpoint));
}

const OutboundOptions& Attempt::outbound_of(std::size_t steps) const {
  return steps == 0 ? context_.own : node(0).options.outbound;
}

Task<Result<std::unique_ptr<Stream>>> Attempt::connect_by_proxy(std::size_t step, Endpoint target) {
  auto stream = co_await node(step).options.connector->connect(context_.io, underlays_[step], std::move(target));
  if (!stream) co_return fail(judge(step, Network::tcp, stream.error()));
  node(step).candidate.succeeded();
  co_return stream;
}

Error Attempt::judge(std::size_t step, Network network, const Error& error) {
  if (failure_) return error;
  const NodeUnderlay& underlay = underlays_[step];
  if (underlay.is_reused() && !underlay.is_admitted() && broke_off(error.cause)) {
    failure_ = NodeFailure{.step = step, .marks = false, .again = true};
    return error.in(path_.steps[step].label());
  }
  bool of_the_node = !underlay.is_opened() || (!underlay.is_admitted() && is_of_the_proxy(error.cause));
  // One that let us in may have its reasons for this target; for datagrams to anywhere there is no target.
  bool another_may_do_better = broke_off(error.cause) || network == Network::udp;
  if (of_the_node || another_may_do_better) failure_ = NodeFailure{.step = step, .marks = of_the_node};
  return error.in(path_.steps[step].label());
}

Error Attempt::judge_ability(std::size_t step, Network network, const Error& error) {
  bool unable = error.cause == Cause::command && !underlays_[step].is_opened() && !failure_;
  if (!unable) return judge(step, network, error);
  failure_ = NodeFailure{.step = step, .marks = false};
  return error.in(path_.steps[step].label());
}

Task<Result<std::unique_ptr<Stream>>> Attempt::open_raw(std::size_t step) {
  auto to = co_await address_of(step);
  if (!to) co_return fail(to.error());
  if (step == 0)
    co_return co_await context_.outbound.connect(context_.io, std::move(*to),
                                                 node(0).options.outbound.for_requester(context_.from));
  auto stream = co_await connect_from(step, std::move(*to));
  if (stream || failure_) co_return stream;
  co_return fail(stream.error().cause, "not reached through " + stream.error().text);
}

Task<Result<Destination>> Attempt::address_of(std::size_t step) {
  const NodeOptions& options = node(step).options;
  Destination to{options.address, {}};
  auto addresses = co_await look_up(context_.io, options.names, options.address.host);
  if (!addresses) co_return fail(addresses.error());
  if (*addresses) {
    to.addresses = std::move(**addresses);
    to.endpoint.host = to.addresses.front().to_string();
  }
  co_return to;
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_datagram_from(std::size_t steps,
                                                                    std::optional<SocketAddress> only_peer) {
  while (steps > 0 && node(steps - 1).options.kind == NodeKind::direct && steps > 1) --steps;
  if (steps == 0 || node(steps - 1).options.kind == NodeKind::direct)
    co_return co_await context_.outbound.open_datagram(context_.io, only_peer,
                                                       outbound_of(steps).for_requester(context_.from));
  const PathStep& last = path_.steps[steps - 1];
  if (last.node->options.kind == NodeKind::reject)
    co_return fail(Cause::denied, last.label() + ": datagrams are refused by action=reject");
  if (last.node->options.kind == NodeKind::datagrams) co_return co_await open_datagram_to_node(steps - 1);
  co_return co_await open_datagram_by_proxy(steps - 1);
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_datagram_by_proxy(std::size_t step) {
  auto datagram = co_await node(step).options.connector->open_datagram(context_.io, underlays_[step]);
  if (!datagram) co_return fail(judge_ability(step, Network::udp, datagram.error()));
  node(step).candidate.succeeded();
  co_return datagram;
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_datagram_to_node(std::size_t step) {
  auto datagram = co_await open_raw_datagram(step);
  if (!datagram && !failure_) {
    failure_ = NodeFailure{.step = step};
    co_return fail(datagram.error().in(path_.steps[step].label()));
  }
  co_return datagram;
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_raw_datagram(std::size_t step) {
  const NodeOptions& options = node(step).options;
  auto ip = co_await resolve(context_.io, options.names, context_.outbound, options.address.host);
  if (!ip) co_return fail(std::move(ip.error()));
  SocketAddress peer(*ip, options.address.port);
  auto datagram = co_await open_datagram_to(step, options.outbound, peer);
  if (!datagram) co_return fail(std::move(datagram.error()));
  co_return std::make_unique<PeerDatagram>(std::move(*datagram), peer);
}

Result<std::optional<std::size_t>> Attempt::binder(const Endpoint& at) const {
  std::size_t steps = path_.steps.size();
  while (steps > 1 && node(steps - 1).options.kind == NodeKind::direct) --steps;
  if (steps == 0) return std::optional<std::size_t>();
  const PathStep& last = path_.steps[steps - 1];
  switch (last.node->options.kind) {
  case NodeKind::direct: return std::optional<std::size_t>();
  case NodeKind::reject:
    return fail(Cause::denied, last.label() + ": port " + at.to_string() + " is refused by action=reject");
  case NodeKind::datagrams: return fail(Cause::command, last.label() + ": dialer 'udp' cannot bind ports");
  default: return std::optional(steps - 1);
  }
}

Task<Result<std::unique_ptr<RemoteBind>>> Attempt::bind(Endpoint at) {
  auto step = binder(at);
  if (!step) co_return fail(std::move(step.error()));
  if (!*step) co_return listen_here(context_.io, at);
  const Connector& connector = *node(**step).options.connector;
  auto port = co_await connector.bind(context_.io, underlays_[**step], std::move(at));
  if (!port) co_return fail(judge_ability(**step, Network::tcp, port.error()));
  node(**step).candidate.succeeded();
  co_return port;
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::bind_datagram(Endpoint at) {
  auto step = binder(at);
  if (!step) co_return fail(std::move(step.error()));
  if (!*step) co_return listen_here_for_datagrams(context_.io, at);
  const Connector& connector = *node(**step).options.connector;
  auto port = co_await connector.bind_datagram(context_.io, underlays_[**step], std::move(at));
  // A port is a target, unlike datagrams to anywhere.
  if (!port) co_return fail(judge_ability(**step, Network::tcp, port.error()));
  node(**step).candidate.succeeded();
  co_return port;
}

Task<Result<std::unique_ptr<Datagram>>> Attempt::open_datagram_to(std::size_t steps, const OutboundOptions& first,
                                                                  SocketAddress peer) {
  if (steps == 0)
    co_return co_await context_.outbound.open_datagram(context_.io, peer, first.for_requester(context_.from));
  auto datagram = co_await open_datagram_from(steps, peer);
  if (!datagram) co_return fail(std::move(datagram.error()));
  co_return std::make_unique<PeerDatagram>(std::move(*datagram), peer);
}

}  // namespace gost
