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
  if (!connecting) co_return co_await refuse(session, {Cause::command, "socks4: BIND is disabled"});

  auto upstream = co_await options_.router->dial(session.io, std::move(request->target));
  if (!upstream) co_return co_await refuse(session, upstream.error());
  session.record.set_route((*upstream)->local(), (*upstream)->remote());
  if (auto sent = co_await write_all(*session.client, encode_reply(Reply::granted)); !sent) co_return sent;
  co_await run_tunnel(session, **upstream);
  co_return {};
}

}  // namespace gost::socks4
