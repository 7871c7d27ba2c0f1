#include "socks5/udp_tunnel.hpp"

#include "net/stream_io.hpp"
#include "socks5/framed_datagram.hpp"
#include "socks5/refuse.hpp"
#include "socks5/relay_socket.hpp"
#include "socks5/udp_relay.hpp"

namespace gost::socks5 {

namespace {

/// The socket of bind mode: exactly the requested address, of its family; an empty host means any address of both.
GOST_OWN_FRAME Task<Result<std::unique_ptr<Datagram>>> bind_requested(Session& session, const Router& router,
                                                                      Endpoint requested) {
  bool both_families = requested.host.empty();
  IpAddress ip = IpAddress::v6({});
  if (!both_families) {
    auto resolved = co_await router.resolve(session.io, requested.host);
    if (!resolved) co_return fail(Cause::other, resolved.error().text);
    ip = *resolved;
  }
  auto bound = bind_datagrams(session.io.loop, SocketAddress(ip, requested.port), both_families);
  // Whatever the reason, the reply is GOST's general failure.
  if (!bound) co_return fail(Cause::other, bound.error().text);
  co_return std::move(*bound);
}

}  // namespace

Task<Result<>> serve_udp_tunnel(Session& session, const Router& router, const UdpOptions& options, Request request) {
  bool bind_mode = is_bind_mode(request);
  Result<std::unique_ptr<Datagram>> outbound = nullptr;
  if (bind_mode) {
    outbound = co_await bind_requested(session, router, std::move(request.target));
  } else {
    outbound = co_await router.open_datagram(session.io, session.requester());
  }
  if (!outbound) co_return co_await refuse(session, std::move(outbound.error()));

  SocketAddress local = (*outbound)->local();
  session.record.set_source(local);
  bool with_empty = request.reserved == kEmptyFramesUnderstood;
  auto reply = encode_reply(Reply::succeeded, local, with_empty ? kEmptyFramesUnderstood : std::uint8_t{0});
  if (auto sent = co_await write_all(*session.client, reply.view()); !sent) co_return sent;

  Drops drops(options.buffer_size, session);
  FramedDatagram client(std::move(session.client), local, {.send_empty = with_empty});
  UdpRelay relay(co_await this_scope(), session, router, client, **outbound, nullptr, drops,
                 {.idle_timeout = bind_mode ? options.bind_idle_timeout() : options.relay_idle_timeout(),
                  .filter_sources = true});
  session.record.relay_started(session.io.loop.now());
  auto error = co_await relay.run();
  session.record.relay_ended(session.io.loop.now(), error);
  co_return {};
}

}  // namespace gost::socks5
