#include "route/router.hpp"

#include "route/target_list.hpp"

#include <algorithm>
#include <optional>

namespace gost {

namespace {

/// `own`, or what the most patient connector of the path wants; nothing: no limit.
std::optional<Duration> time_limit(const Path& path, Duration own) {
  for (const PathStep& step : path.steps) {
    const auto& connector = step.node->options.connector;
    Duration wanted = connector ? connector->time_limit() : Duration::zero();
    if (wanted < Duration::zero()) return std::nullopt;
    own = std::max(own, wanted);
  }
  return own;
}

/// The end of a proxy's stream is the failure of a request, and no end of its client's.
Error of_the_way(Error error) {
  if (error.cause == Cause::eof || error.cause == Cause::reset) error.cause = Cause::other;
  return error;
}

}  // namespace

template <class T, class Reach>
Task<Result<T>> ChainRouter::along_paths(IoContext& io, const RouteRequest& request, const Requester& from,
                                         int retries, const Reach& reach) const {
  PathFinder finder(options_.chains.get(), request, retries);
  const AttemptContext context{io, *options_.sockets, from, options_.outbound};
  Path path = finder.first(io.loop.now());
  for (;;) {
    if (path.without_node != nullptr)
      co_return fail(Cause::denied, path.without_node->name() + ": none of its nodes is for " +
                                        (request.target ? request.target->to_string() : "datagrams to anywhere"));
    Attempt attempt(context, path);
    const auto limit = time_limit(path, options_.timeout);
    Result<T> reached = limit ? co_await with_deadline(*limit, reach(attempt)) : co_await reach(attempt);
    if (!reached) reached = fail(of_the_way(std::move(reached.error())));
    if (reached && path.chain != nullptr) path.chain->candidate.succeeded();
    if (reached || (co_await this_scope()).stopped()) co_return reached;
    auto next = finder.after(path, attempt.failure(), io.loop.now());
    if (!next) co_return reached;
    tell(reached.error(), attempt.failure(), *next);
    path = std::move(*next);
    if (co_await yield() != Outcome::ready) co_return reached;
  }
}

void ChainRouter::tell(const Error& error, std::optional<NodeFailure> failed, const Path& next) const {
  if (!options_.log.enabled(Level::warn)) return;
  bool replaced = failed && failed->step < next.steps.size();
  options_.log.warn(error.text + (replaced ? "; now trying " + next.steps[failed->step].label() : "; trying again"));
}

Task<Result<std::unique_ptr<Stream>>> ChainRouter::dial(IoContext& io, Endpoint target, Requester from) const {
  if (forbids(Network::tcp, target.host, target.port)) co_return fail(Cause::denied, "bypass: " + target.to_string());
  int retries = options_.retries;
  auto to = co_await destination(io, std::move(target), retries);
  if (!to) co_return fail(to.error());
  auto reach = [&to](Attempt& attempt) { return attempt.connect(*to); };
  RouteRequest about = request(Network::tcp, to->endpoint, from);
  co_return co_await along_paths<std::unique_ptr<Stream>>(io, about, from, retries, reach);
}

Task<Result<std::unique_ptr<Datagram>>> ChainRouter::open_datagram(IoContext& io, Requester from) const {
  auto reach = [](Attempt& attempt) { return attempt.open_datagram(std::nullopt); };
  RouteRequest about = request(Network::udp, std::nullopt, from);
  co_return co_await along_paths<std::unique_ptr<Datagram>>(io, about, from, options_.retries, reach);
}

Task<Result<DatagramWay>> ChainRouter::open_datagram_to(IoContext& io, Endpoint target, Requester from) const {
  if (forbids(Network::udp, target.host, target.port)) co_return fail(Cause::denied, "bypass: " + target.to_string());
  int retries = options_.retries;
  auto to = co_await destination(io, std::move(target), retries);
  if (!to) co_return fail(to.error());
  // Rules of hops and nodes see what those of a connection would; datagrams go to an address in any case.
  RouteRequest about = request(Network::udp, to->endpoint, from);
  auto ip = co_await resolve(io, to->endpoint.host);
  if (!ip) co_return fail(ip.error());
  SocketAddress peer(*ip, to->endpoint.port);
  auto reach = [peer](Attempt& attempt) { return attempt.open_datagram(peer); };
  auto opened = co_await along_paths<std::unique_ptr<Datagram>>(io, about, from, retries, reach);
  if (!opened) co_return fail(std::move(opened.error()));
  co_return DatagramWay{std::move(*opened), peer};
}

Task<Result<std::unique_ptr<RemoteBind>>> ChainRouter::bind(IoContext& io, Endpoint at, Requester from) const {
  at = co_await looked_up(io, std::move(at));
  auto reach = [&at](Attempt& attempt) { return attempt.bind(at); };
  RouteRequest about = request(Network::tcp, std::nullopt, from);
  co_return co_await along_paths<std::unique_ptr<RemoteBind>>(io, about, from, options_.retries, reach);
}

Task<Result<std::unique_ptr<Datagram>>> ChainRouter::bind_datagram(IoContext& io, Endpoint at, Requester from) const {
  at = co_await looked_up(io, std::move(at));
  auto reach = [&at](Attempt& attempt) { return attempt.bind_datagram(at); };
  RouteRequest about = request(Network::udp, std::nullopt, from);
  co_return co_await along_paths<std::unique_ptr<Datagram>>(io, about, from, options_.retries, reach);
}

Task<Endpoint> ChainRouter::looked_up(IoContext& io, Endpoint at) const {
  if (at.host.empty() || IpAddress::parse(at.host)) co_return at;
  if (auto ip = co_await resolve(io, at.host)) at.host = ip->to_string();
  co_return at;
}

Task<Result<Destination>> ChainRouter::destination(IoContext& io, Endpoint target, int& retries) const {
  for (;;) {
    auto addresses = co_await with_deadline(options_.timeout, look_up(io, options_.names, target.host));
    if (addresses) {
      Destination to{std::move(target), {}};
      if (*addresses) {
        to.addresses = std::move(**addresses);
        to.endpoint.host = to.addresses.front().to_string();
      }
      co_return to;
    }
    if (retries <= 0 || (co_await this_scope()).stopped()) co_return fail(addresses.error());
    --retries;
    if (co_await yield() != Outcome::ready) co_return fail(addresses.error());
  }
}

RouteRequest ChainRouter::request(Network network, std::optional<Endpoint> target, const Requester& from) const {
  bool by_target = options_.hash_by_target && target;
  std::string key = by_target ? target->to_string() : hash_key_of(from);
  return {network, std::move(target), std::move(key)};
}

Task<Result<IpAddress>> ChainRouter::resolve(IoContext& io, std::string host) const {
  co_return co_await with_deadline(options_.timeout,
                                   gost::resolve(io, options_.names, *options_.sockets, std::move(host)));
}

bool ChainRouter::forbids(Network network, std::string_view host, std::uint16_t port) const {
  return options_.bypass && options_.bypass->contains(network, host, port);
}

}  // namespace gost
