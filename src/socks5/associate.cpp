#include "socks5/associate.hpp"

#include "net/stream_io.hpp"
#include "socks5/association.hpp"
#include "socks5/codec.hpp"
#include "socks5/refuse.hpp"
#include "socks5/relay_socket.hpp"
#include "socks5/udp_relay.hpp"

namespace gost::socks5 {

namespace {

/// Where the client is told to send its datagrams.
SocketAddress announced(const Session& session, const UdpOptions& options, const Datagram& relay) {
  auto public_ip = IpAddress::parse(options.public_addr);
  return {public_ip ? *public_ip : session.record.local().ip(), relay.local().port()};
}

Task<Result<>> relay(Session& session, const Router& router, const UdpOptions& options, const ClientPin& pin,
                     std::unique_ptr<Datagram> socket, std::unique_ptr<Datagram> outbound) {
  Drops drops(options.buffer_size, session);
  Association association(std::move(socket), pin, session, drops);
  UdpRelay relay(co_await this_scope(), session, router, association, *outbound, session.client.get(), drops,
                 {.idle_timeout = options.relay_idle_timeout()});
  session.record.relay_started(session.io.loop.now());
  auto error = co_await relay.run();
  session.record.relay_ended(session.io.loop.now(), error);
  co_return {};
}

}  // namespace

Task<Result<>> serve_associate(Session& session, const Router& router, const UdpOptions& options,
                               AssociationLimit& limit, Endpoint requested) {
  IpAddress client = session.record.client().ip();
  auto slot = limit.enter(client);
  if (!slot) {
    Error error{Cause::exhausted, "UDP ASSOCIATE: " + client.to_string() + " has " + std::to_string(limit.most()) +
                                      " associations already (option udp.maxAssociations)"};
    co_return co_await refuse(session, std::move(error));
  }
  auto socket = open_relay_socket(session.io.loop, session.record.local().ip(), options.port_min, options.port_max,
                                  {.batching = options.batching});
  if (!socket) co_return co_await refuse(session, {Cause::other, socket.error().text});
  auto outbound = co_await router.open_datagram(session.io, session.requester());
  if (!outbound) co_return co_await refuse(session, std::move(outbound.error()));

  session.record.note(Level::debug, "bind on " + (*socket)->local().to_string() + " OK");
  session.record.set_source((*outbound)->local());
  auto reply = encode_reply(Reply::succeeded, announced(session, options, **socket));
  if (auto sent = co_await write_all(*session.client, reply.view()); !sent) co_return sent;
  ClientPin pin = pin_for(session.record.client(), requested);
  co_return co_await relay(session, router, options, pin, std::move(*socket), std::move(*outbound));
}

}  // namespace gost::socks5
