#include "socks5/mbind.hpp"

#include "mux/session.hpp"
#include "net/relay.hpp"
#include "net/stream_io.hpp"
#include "runtime/turn.hpp"
#include "socks5/codec.hpp"
#include "socks5/refuse.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace gost::socks5 {

namespace {

/// A loop that is out of descriptors leaves the queue alone for this long.
constexpr Duration kPause = std::chrono::milliseconds(100);

/// The port, its peers and the session that carries them.
class PeerServer {
 public:
  PeerServer(Scope& parent, Session& session, const Router& router, const MbindOptions& options,
             const BindSocket& socket)
      : session_(session),
        router_(router),
        options_(options),
        socket_(socket),
        mux_(session.io, std::move(session.client), options.mux, SmuxSide::client),
        group_(parent) {}

  /// The reason if something broke it.
  Task<std::optional<Error>> run() {
    group_.spawn(carry());
    group_.spawn(accept());
    co_await group_.join();
    co_return std::move(error_);
  }

 private:
  /// Room for another peer, as something to wait for.
  struct Room {
    std::size_t left;
    Wait* waiter = nullptr;
    bool ready(Interest) const { return left > 0; }
    Wait*& waiting(Interest) { return waiter; }
  };

  Task<> carry() {
    auto error = co_await mux_.run();
    end(std::move(error));
  }

  Task<> accept() {
    IoWatch watch;
    if (auto started = watch.start(session_.io.loop, socket_.fd(), IoWatch::Kind::input); !started)
      co_return end(started.error());
    co_await accept_at(watch);
    watch.stop();  // the socket outlives this coroutine, and its events would find no watch
  }

  Task<> accept_at(IoWatch& watch) {
    Turn turn;
    while (co_await UntilReady<Room>(room_, Interest::read) == Outcome::ready &&
           co_await until_ready(watch, Interest::read) == Outcome::ready) {
      auto accepted = try_accept(socket_.fd());
      if (accepted) {
        take(std::move(*accepted));
        if (turn.used_up(0) && co_await yield() != Outcome::ready) co_return;
      } else if (accepted.error() == EAGAIN) {
        watch.not_readable();
      } else {
        // Either this one connection was broken, or descriptors are short: neither ends the others.
        if (co_await sleep_for(kPause) != Outcome::ready) co_return;
      }
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
    --room_.left;
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
    ++room_.left;
    if (room_.waiter != nullptr) room_.waiter->complete();
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
  Room room_{options_.max_peers};
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
