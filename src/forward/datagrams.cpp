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

/// What came while there was no way to the target.
void count_what_waits(Session& session) {
  DatagramCounters& counted = session.datagrams;
  while (session.datagram->try_receive(session.io.datagrams).status == IoResult::Status::ok) {
    for (const ReceivedDatagram& datagram : session.io.datagrams.items())
      session.bytes.from_a += datagram.payload.size();
    counted.from_client += session.io.datagrams.items().size();
    counted.dropped += session.io.datagrams.items().size();
  }
  counted.dropped += session.datagram->discarded();
}

}  // namespace

Task<Result<>> forward_datagrams(Session& session, const HandlerOptions& options) {
  auto open = [&session, &options](Endpoint target) {
    return options.router->open_datagram_to(session.io, std::move(target), session.requester());
  };
  const Target* target = nullptr;
  auto way = co_await first_that_opens<DatagramWay>(session, *options.targets, "udp", open, &target);
  if (!way) {
    count_what_waits(session);
    tell_datagrams(session);
    co_return fail(std::move(way.error()));
  }
  session.record.set_route(way->datagrams->local(), way->peer);
  session.record.relay_started(session.io.loop.now());

  DatagramRelayOptions relaying{
      .forth = {.to = way->peer}, .back = {.to = session.record.remote()}, .idle_timeout = options.idle_timeout};
  std::optional<Error> unreachable;
  DatagramCounters& counted = session.datagrams;
  // A target that refuses and has never answered: the client's next datagram finds another one, if there is one.
  relaying.not_sent = [&](const Error& error) {
    session.record.note(Level::debug, error.in("a datagram cannot be sent").text);
    unreachable = error;
    if (counted.to_client > 0 || error.cause != Cause::refused) return true;
    options.targets->failed(*target);
    return options.targets->size() == 1;
  };
  const DatagramRelayCounters counters{counted.from_client, session.bytes.from_a, counted.to_client,
                                       session.bytes.from_b, counted.dropped};
  auto error = co_await relay_datagrams(*session.datagram, *way->datagrams, session.io.datagrams, std::move(relaying),
                                        counters);
  counted.dropped += session.datagram->discarded() + way->datagrams->discarded();
  tell_datagrams(session);
  // A target that has never answered is why the session was of no use.
  if (counted.to_client == 0 && unreachable) error = std::move(unreachable);
  session.record.relay_ended(session.io.loop.now(), error);
  co_return {};
}

}  // namespace gost::forward
