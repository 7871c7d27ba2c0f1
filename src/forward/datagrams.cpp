#include "forward/handler.hpp"
#include "forward/targets.hpp"
#include "net/datagram_relay.hpp"

namespace gost::forward {

namespace {

struct Way {
  std::unique_ptr<Datagram> datagrams;
  SocketAddress target;
};

Task<Result<Way>> open_way(Session& session, const Router& router, Endpoint target) {
  // The rules know the target as it was written, and open_datagram() only its address.
  if (router.forbids(Network::udp, target.host, target.port))
    co_return fail(Cause::denied, "bypass: " + target.to_string());
  auto ip = co_await router.resolve(session.io, target.host);
  if (!ip) co_return fail(std::move(ip.error()));
  SocketAddress address(*ip, target.port);
  auto datagrams = co_await router.open_datagram(session.io, session.requester(), address);
  if (!datagrams) co_return fail(std::move(datagrams.error()));
  co_return Way{std::move(*datagrams), address};
}

void tell_datagrams(Session& session) {
  const DatagramCounters& counted = session.datagrams;
  session.record.set_datagrams(
      {.input = counted.from_client, .output = counted.to_client, .dropped = counted.dropped});
}

}  // namespace

Task<Result<>> forward_datagrams(Session& session, const HandlerOptions& options) {
  auto open = [&session, &options](Endpoint target) { return open_way(session, *options.router, std::move(target)); };
  auto way = co_await first_that_opens<Way>(session, *options.targets, "udp", open);
  if (!way) {
    session.datagrams.dropped += session.datagram->discarded();
    tell_datagrams(session);
    co_return fail(std::move(way.error()));
  }
  session.record.set_route(way->datagrams->local(), way->target);
  session.record.relay_started(session.io.loop.now());

  DatagramRelayOptions relaying{
      .forth = {.to = way->target}, .back = {.to = session.record.remote()}, .idle_timeout = options.idle_timeout};
  relaying.not_sent = [&session](const Error& error) {
    session.record.note(Level::debug, error.in("a datagram cannot be sent").text);
  };
  DatagramCounters& counted = session.datagrams;
  const DatagramRelayCounters counters{counted.from_client, session.bytes.from_a, counted.to_client,
                                       session.bytes.from_b, counted.dropped};
  auto error = co_await relay_datagrams(*session.datagram, *way->datagrams, session.io.datagrams, std::move(relaying),
                                        counters);
  counted.dropped += session.datagram->discarded() + way->datagrams->discarded();
  tell_datagrams(session);
  session.record.relay_ended(session.io.loop.now(), error);
  co_return {};
}

}  // namespace gost::forward
