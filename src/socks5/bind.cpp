#include "socks5/bind.hpp"

#include "net/stream_io.hpp"
#include "socks5/codec.hpp"
#include "socks5/refuse.hpp"

namespace gost::socks5 {

Task<Result<>> serve_bind(Session& session, const Router& router, const BindOptions& options, Endpoint requested) {
  auto socket = co_await listen_for_peer(session, router, std::move(requested));
  if (!socket) co_return co_await refuse(session, std::move(socket.error()));
  auto first = encode_reply(Reply::succeeded, announced(session, options, *socket));
  if (!first) co_return co_await refuse(session, first.error().in("publicAddr"));
  session.record.note(Level::debug, "bind on " + socket->local().to_string() + " OK");
  if (auto sent = co_await write_all(*session.client, first->view()); !sent) co_return sent;

  auto peer = co_await await_peer(session, router, std::move(*socket), options.accept_timeout);
  if (!peer) {
    // To a client that has gone there is nothing to say.
    bool gone = peer.error().cause == Cause::eof || peer.error().cause == Cause::reset;
    if (gone) co_return fail(std::move(peer.error()));
    co_return co_await refuse(session, std::move(peer.error()));
  }
  auto second = encode_reply(Reply::succeeded, peer->stream->remote());
  if (auto sent = co_await write_all(*session.client, second.view()); !sent) co_return sent;
  co_return co_await relay_with_peer(session, std::move(*peer));
}

}  // namespace gost::socks5
