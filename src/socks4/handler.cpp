#include "socks4/handler.hpp"

#include "component/refusal.hpp"
#include "component/tunnel.hpp"
#include "net/read_message.hpp"
#include "net/stream_io.hpp"
#include "socks4/codec.hpp"

namespace gost::socks4 {

namespace {

/// Answers with the code for the error's cause and passes the error on.
GOST_OWN_FRAME Task<Result<>> refuse(Session& session, Error error) {
  auto reply = encode_reply(static_cast<Reply>(refusal_for(error.cause).socks4));
  auto sent = co_await write_all(*session.client, reply);
  co_await drop_unread(*session.client);
  co_return fail(std::move(error));
}

/// For a SOCKS4 reply: 0.0.0.0 means the address of the server to clients.
SocketAddress in_ipv4(const Endpoint& endpoint) {
  auto ip = IpAddress::parse(endpoint.host);
  return {ip && ip->is_v4() ? *ip : IpAddress(), endpoint.port};
}

}  // namespace

Task<Result<>> SocksHandler::handle(Session& session) const {
  auto request = co_await with_deadline(
      options_.read_timeout, read_message<kMaxRequest>(*session.client, &decode_request, session.preread()));
  if (!request) co_return fail(handshake_error(request.error()));

  session.record.set_user(request->user_id);
  if (options_.auther && !options_.auther->check(request->user_id, ""))
    co_return co_await refuse(session, {Cause::auth, "auth failure"});
  session.handshake.leave();

  bool connecting = request->command == Command::connect;
  session.record.set_request(connecting ? "connect" : "bind", request->target);
  session.record.requested();
  if (!connecting && !options_.bind) co_return co_await refuse(session, {Cause::command, "socks4: BIND is disabled"});
  if (!connecting) co_return co_await bind(session, std::move(request->target));

  auto upstream = co_await options_.router->dial(session.io, std::move(request->target), session.requester());
  if (!upstream) co_return co_await refuse(session, upstream.error());
  session.record.set_route((*upstream)->local(), (*upstream)->remote());
  if (auto sent = co_await write_all(*session.client, encode_reply(Reply::granted)); !sent) co_return sent;
  co_await run_tunnel(session, **upstream);
  co_return {};
}

Task<Result<>> SocksHandler::bind(Session& session, Endpoint requested) const {
  auto socket = co_await listen_for_peer(session, *options_.router, std::move(requested));
  if (!socket) co_return co_await refuse(session, std::move(socket.error()));
  session.record.note(Level::debug, "bind on " + socket->local().to_string() + " OK");
  auto first = encode_reply(Reply::granted, in_ipv4(announced(session, options_.binding, *socket)));
  if (auto sent = co_await write_all(*session.client, first); !sent) co_return sent;

  auto peer = co_await await_peer(session, *options_.router, std::move(*socket), options_.binding.accept_timeout);
  if (!peer) {
    // To a client that has gone there is nothing to say.
    bool gone = peer.error().cause == Cause::eof || peer.error().cause == Cause::reset;
    if (gone) co_return fail(std::move(peer.error()));
    co_return co_await refuse(session, std::move(peer.error()));
  }
  auto second = encode_reply(Reply::granted, peer->stream->remote());
  if (auto sent = co_await write_all(*session.client, second); !sent) co_return sent;
  co_return co_await relay_with_peer(session, std::move(*peer));
}

}  // namespace gost::socks4
