#include "socks5/handler.hpp"

#include "component/tunnel.hpp"
#include "net/read_message.hpp"
#include "net/stream_io.hpp"
#include "socks5/bind.hpp"
#include "socks5/refuse.hpp"
#include "socks5/udp_tunnel.hpp"
#include "tls/stream.hpp"

namespace gost::socks5 {

namespace {

std::string_view name_of(std::uint8_t command) {
  switch (static_cast<Command>(command)) {
  case Command::connect: return "connect";
  case Command::bind: return "bind";
  case Command::udp_associate: return "udp";
  case Command::resolve: return "resolve";
  case Command::resolve_ptr: return "resolve-ptr";
  case Command::multiplexed_bind: return "mbind";
  case Command::udp_tunnel: return "udp-tun";
  }
  return "unknown";
}

/// A service that has failed before it began.
Task<Result<>> failure(Error error) {
  co_return fail(std::move(error));
}

}  // namespace

Method choose_method(const Greeting& greeting, bool authentication_required, Encryption encryption) {
  Method encrypted = authentication_required ? Method::tls_user_password : Method::tls;
  if (encryption != Encryption::none && greeting.offers(encrypted)) return encrypted;
  if (encryption == Encryption::required) return Method::unacceptable;
  Method wanted = authentication_required ? Method::user_password : Method::none;
  return greeting.offers(wanted) ? wanted : Method::unacceptable;
}

Task<Result<>> SocksHandler::handle(Session& session) const {
  // What the handshake needed is gone by the time that the service begins, which may last for days.
  Task<Result<>> service = co_await service_for(session);
  co_return co_await std::move(service);
}

Task<Task<Result<>>> SocksHandler::service_for(Session& session) const {
  auto request = co_await with_deadline(options_.read_timeout, negotiate(session));
  if (!request) {
    // Of all malformed requests only the unknown address type has a reply of its own.
    if (request.error().cause == Cause::address_type) co_return refuse(session, request.error());
    co_return failure(handshake_error(request.error()));
  }
  session.handshake.leave();
  session.record.set_request(name_of(request->command), request->target);
  session.record.requested();
  if (auto error = refusal_of(*request)) co_return refuse(session, std::move(*error));
  switch (static_cast<Command>(request->command)) {
  case Command::bind: co_return serve_bind(session, *options_.router, options_.binding, std::move(request->target));
  case Command::multiplexed_bind:
    co_return serve_mbind(session, *options_.router, options_.binding, options_.mbinding, std::move(request->target));
  case Command::udp_associate:
    co_return serve_associate(session, *options_.router, options_.relaying, *associations_,
                              std::move(request->target));
  case Command::udp_tunnel:
    co_return serve_udp_tunnel(session, *options_.router, options_.relaying, std::move(*request));
  default: co_return connect(session, std::move(request->target));
  }
}

std::optional<Error> SocksHandler::refusal_of(const Request& request) const {
  switch (static_cast<Command>(request.command)) {
  case Command::connect: return std::nullopt;
  case Command::bind:
  case Command::multiplexed_bind:
    if (options_.bind) return std::nullopt;
    return Error{Cause::denied, "socks5: BIND is disabled"};
  case Command::udp_associate:
    if (options_.udp) return std::nullopt;
    return Error{Cause::denied, "socks5: UDP relay is disabled"};
  case Command::udp_tunnel:
    if (is_bind_mode(request) ? options_.bind : options_.udp) return std::nullopt;
    return Error{Cause::denied, "socks5: UDP tunnel is disabled"};
  default: return Error{Cause::command, "socks5: unknown command " + std::to_string(request.command)};
  }
}

Encryption SocksHandler::encryption() const {
  if (!options_.tls) return Encryption::none;
  return options_.tls->compulsory() ? Encryption::required : Encryption::offered;
}

Task<Result<Request>> SocksHandler::negotiate(Session& session) const {
  auto greeting = co_await read_message<kMaxGreeting>(*session.client, &decode_greeting, session.preread());
  if (!greeting) co_return fail(greeting.error());
  Method method = choose_method(*greeting, options_.auther != nullptr, encryption());
  if (auto sent = co_await write_all(*session.client, encode_method_choice(method)); !sent)
    co_return fail(sent.error());
  if (method == Method::unacceptable) {
    if (encryption() == Encryption::required)
      co_return fail(Cause::auth, "bad method: the client does not offer TLS (" +
                                      std::string(options_.auther ? "82, with a password" : "80") +
                                      "), and this handler wants its certificate (tls.caFile)");
    co_return fail(Cause::auth, options_.auther ? "bad method: the client does not offer user/password authentication"
                                                : "bad method: the client insists on authentication");
  }
  if (method == Method::tls || method == Method::tls_user_password) {
    auto encrypted = co_await tls::tls_accept(session.io, std::move(session.client), *options_.tls);
    if (!encrypted) co_return fail(encrypted.error());
    session.client = std::move(*encrypted);
    if (auto info = tls::tls_info(*session.client)) session.record.note(Level::debug, tls::to_string(*info));
  }
  if (method == Method::user_password || method == Method::tls_user_password) {
    if (auto accepted = co_await authenticate(session); !accepted) co_return fail(accepted.error());
  }
  co_return co_await read_message<kMaxRequest>(*session.client, &decode_request);
}

Task<Result<>> SocksHandler::authenticate(Session& session) const {
  auto credentials = co_await read_message<kMaxCredentials>(*session.client, &decode_credentials);
  if (!credentials) co_return fail(credentials.error());
  session.record.set_user(credentials->user);
  bool accepted = options_.auther->check(credentials->user, credentials->password);
  auto sent = co_await write_all(*session.client, encode_auth_status(accepted));
  if (!accepted) co_return fail(Cause::auth, "auth failure");
  co_return sent;
}

Task<Result<>> SocksHandler::tell_connected(Session& session, const Stream& upstream) {
  SocketAddress bound = upstream.local();
  session.record.set_route(bound, upstream.remote());
  auto reply = encode_reply(Reply::succeeded, bound);
  co_return co_await write_all(*session.client, reply.view());
}

Task<Result<>> SocksHandler::connect(Session& session, Endpoint target) const {
  auto upstream = co_await options_.router->dial(session.io, std::move(target), session.requester());
  if (!upstream) co_return co_await refuse(session, upstream.error());
  if (auto told = co_await tell_connected(session, **upstream); !told) co_return told;
  co_await run_tunnel(session, **upstream);
  co_return {};
}

}  // namespace gost::socks5
