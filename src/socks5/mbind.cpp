#include "socks5/mbind.hpp"

#include "mux/session.hpp"
#include "net/acceptor.hpp"
#include "net/relay.hpp"
#include "net/stream_io.hpp"
#include "runtime/event.hpp"
#include "socks5/codec.hpp"
#include "socks5/refuse.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace gost::socks5 {

namespace {

/// The port, its peers and the session that carries them.
class PeerServer {
 public:
  PeerServer(Scope& parent, Session& session, const Router& router, const MbindOptions& options,
             const BindSocket& socket)
      : session_(session),
        router_(router),
        options_(options),
        socket_(socket),
        mux_(session.io, std::move(session.client), options.mux, MuxSide::client),
        group_(parent) {
    room_.set();
  }

  /// The reason if something broke it.
  Task<std::optional<Error>> run() {
    group_.spawn(carry());
    group_.spawn(accept());
    co_await group_.join();
    co_return std::move(error_);
  }

 private:
  Task<> carry() {
    auto error = co_await mux_.run();
    end(std::move(error));
  }

  Task<> accept() {
    Acceptor acceptor;  // gone before the socket, whose events would find no watch
    if (auto started = acceptor.start(session_.io.loop, socket_.fd()); !started) co_return end(started.error());
    while (co_await room_.until_set() == Outcome::ready) {
      auto accepted = co_await acceptor.next();
      if (!accepted) co_return;
      take(std::move(*accepted));
    }
  }

  void take(Accepted accepted) {
    const SocketAddress remote = accepted.remote;
    if (router_.forbids(Network::tcp, remote.ip().to_string(), remote.port()))
      return told(remote, "turned away: a bypass forbids it");
    auto peer = TcpStream::adopt(session_.io.loop, std::move(accepted.socket), remote);
    if (!peer) return told(remote, peer.error().text);
    auto stream = mux_.open();
    if (!stream) return told(remote, stream.error().text);
    if (++peers_ >= options_.max_peers) room_.clear();
    group_.spawn(serve(std::move(*stream), std::move(*peer)));
  }

  Task<> serve(std::unique_ptr<MuxStream> stream, std::unique_ptr<TcpStream> peer) {
    const SocketAddress remote = peer->remote();
    told(remote, "connected");
    if (auto announced = co_await announce(*stream, remote); !announced) {
      told(remote, announced.error().text);
    } else {
      const RelayOptions relaying;
      auto error = co_await relay(*stream, *peer, session_.io.pools(), relaying, session_.bytes);
      told(remote, error ? error->text : "ended");
    }
    stream.reset();
    peer.reset();  // its descriptor is free for the next one
    --peers_;
    room_.set();
  }

  GOST_OWN_FRAME Task<Result<>> announce(MuxStream& stream, SocketAddress remote) {
    if (options_.comp) co_return Result<>();
    auto reply = encode_reply(Reply::succeeded, remote);
    co_return co_await write_all(stream, reply.view());
  }

  void told(const SocketAddress& peer, const std::string& what) const {
    session_.record.note(Level::debug, "MBIND: peer " + peer.to_string() + ": " + what);
  }

  void end(std::optional<Error> error) {
    if (!error_) error_ = std::move(error);
    group_.stop();
  }

  Session& session_;
  const Router& router_;
  const MbindOptions& options_;
  const BindSocket& socket_;
  MuxSession mux_;
  std::size_t peers_ = 0;
  Event room_;  ///< for another peer
  std::optional<Error> error_;
  TaskGroup group_;
};

GOST_OWN_FRAME Task<std::optional<Error>> serve_peers(Session& session, const Router& router,
                                                      const MbindOptions& options, const BindSocket& socket) {
  PeerServer server(co_await this_scope(), session, router, options, socket);
  co_return co_await server.run();
}

/// As of BIND, but never for one expected peer: that would be another port than the one that is to be published.
GOST_OWN_FRAME Task<Result<BindSocket>> listen_for_all(Session& session, const Router& router, Endpoint requested) {
  std::string address = requested.to_string();
  auto socket = co_await listen_for_peer(session, router, std::move(requested));
  if (!socket) co_return fail(Cause::other, std::move(socket.error().text));
  if (socket->only_from()) co_return fail(Cause::other, "listen tcp " + address + ": " + system_text(EADDRNOTAVAIL));
  // BIND's queue is for one peer.
  if (::listen(socket->fd(), SOMAXCONN) < 0)
    co_return fail(Cause::other, "listen tcp " + address + ": " + system_text(errno));
  co_return socket;
}

}  // namespace

Task<Result<>> serve_mbind(Session& session, const Router& router, const BindOptions& binding,
                           const MbindOptions& options, Endpoint requested) {
  auto socket = co_await listen_for_all(session, router, std::move(requested));
  if (!socket) co_return co_await refuse(session, std::move(socket.error()));
  auto reply = encode_reply(Reply::succeeded, announced(session, binding, *socket));
  if (!reply) co_return co_await refuse(session, reply.error().in("publicAddr"));
  session.record.set_source(socket->local());
  session.record.note(Level::debug, "mbind on " + socket->local().to_string() + " OK");
  if (auto sent = co_await write_all(*session.client, reply->view()); !sent) co_return sent;

  session.record.relay_started(session.io.loop.now());
  auto error = co_await serve_peers(session, router, options, *socket);
  session.record.relay_ended(session.io.loop.now(), error);
  co_return {};
}

}  // namespace gost::socks5
