#include "forward/handler.hpp"
#include "forward/targets.hpp"
#include "net/datagram_relay.hpp"

namespace gost::forward {

namespace {

void tell_datagrams(Session& session) {
  const DatagramCounters& counted = session.datagrams;
  session.record.set_datagrams(
      {.input = counted.from_client, .output = counted.to_client, .dropped = counted.dropped});
}

}  // namespace

Task<Result<>> forward_datagrams(Session& session, const HandlerOptions& options) {
  auto open = [&session, &options](Endpoint target) {
    return options.router->open_datagram_to(session.io, std::move(target), session.requester());
  };
  auto way = co_await first_that_opens<DatagramWay>(session, *options.targets, "udp", open);
  if (!way) {
    session.datagrams.dropped += session.datagram->discarded();
    tell_datagrams(session);
    co_return fail(std::move(way.error()));
  }
  session.record.set_route(way->datagrams->local(), way->peer);
  session.record.relay_started(session.io.loop.now());

  DatagramRelayOptions relaying{
      .forth = {.to = way->peer}, .back = {.to = session.record.remote()}, .idle_timeout = options.idle_timeout};
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
