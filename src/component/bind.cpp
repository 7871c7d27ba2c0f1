#include "component/bind.hpp"

#include "component/tunnel.hpp"
#include "net/acceptor.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <netinet/tcp.h>

#include <cerrno>

namespace gost {

namespace {

constexpr std::size_t kMaxEarly = std::size_t{16} * 1024;
constexpr std::size_t kEarlyPiece = 4096;
constexpr Duration kLook = std::chrono::milliseconds(200);
/// Of the peers that come at once one is taken; the rest only shows that it was not the right one.
constexpr int kBacklog = 16;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// The accepted socket inherits all of these.
void set_options(int fd, const SocketAddress& local, bool both_families) {
  const KeepAlive keepalive;
  auto seconds = [](Duration duration) {
    return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count());
  };
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(keepalive.idle));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(keepalive.interval));
  if (local.family() == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
}

Error listen_error(int number, const SocketAddress& local) {
  // The cause is always the same, so that the reply is always GOST's general failure.
  return {Cause::other, "listen tcp " + local.to_string() + ": " + system_text(number)};
}

/// Listens for a peer that is not of this machine.
Result<BindSocket> listen_for(const IpAddress& peer, const IpAddress& control) {
  if (!control.is_unspecified() && peer.is_v4() != control.is_v4())
    return fail(Cause::address_type, "BIND: the peer " + peer.to_string() + " cannot connect to " +
                                         control.to_string() + ", to which the client connected");
  SocketAddress local(control, 0);
  auto socket = BindSocket::listen(local, false, peer);
  if (!socket) return fail(listen_error(socket.error(), local));
  return std::move(*socket);
}

/// The wait for a peer. It ends with the peer, or with the client, whichever comes first.
class PeerWait {
 public:
  PeerWait(Scope& parent, Session& session, const Router& router, const BindSocket& socket)
      : session_(session), router_(router), socket_(socket), group_(parent) {}

  Task<Result<BoundPeer>> run() {
    group_.spawn(accept());
    group_.spawn(watch_client());
    co_await group_.join();
    if (peer_.stream) co_return std::move(peer_);
    co_return fail(error_.value_or(stop_error(group_.scope().reason()).in("BIND: waiting for the peer")));
  }

 private:
  Task<> accept() {
    Acceptor acceptor;  // gone before the socket, whose events would find no watch
    if (auto started = acceptor.start(session_.io.loop, socket_.fd()); !started) co_return end(started.error());
    for (;;) {
      auto accepted = co_await acceptor.next();
      if (!accepted || take(std::move(*accepted))) co_return;
    }
  }

  /// True if the wait is over.
  bool take(Accepted accepted) {
    const SocketAddress& remote = accepted.remote;
    if (!socket_.expects(remote.ip())) {
      turned_away(remote, "the client expects " + socket_.only_from()->to_string());
      return false;
    }
    if (router_.forbids(Network::tcp, remote.ip().to_string(), remote.port())) {
      turned_away(remote, "a bypass forbids it");
      return false;
    }
    auto stream = TcpStream::adopt(session_.io.loop, std::move(accepted.socket), remote);
    if (!stream) {
      end(stream.error());
    } else {
      peer_.stream = std::move(*stream);
      group_.stop();
    }
    return true;
  }

  void turned_away(const SocketAddress& remote, const std::string& why) {
    session_.record.note(Level::debug, "BIND: turned away " + remote.to_string() + ": " + why);
  }

  Task<> watch_client() {
    const Error left{Cause::eof, "BIND: the client left before the peer came"};
    Stream& client = *session_.client;
    while (peer_.early.size() < kMaxEarly) {
      if (co_await client.until(Interest::read) != Outcome::ready) co_return;
      std::size_t size = peer_.early.size();
      peer_.early.resize(size + kEarlyPiece);
      IoResult got = client.try_read(MutableBytes(peer_.early).subspan(size));
      peer_.early.resize(size + got.bytes);
      if (got.status == IoResult::Status::eof) co_return end(left);
      if (got.status == IoResult::Status::error) co_return end(client.error(got.error).in("read"));
    }
    // More waits in the socket, which knows of an end behind it.
    while (IoWatch* socket = client.kernel(Interest::read)) {
      if (socket->hung_up()) co_return end(left);
      if (co_await sleep_for(kLook) != Outcome::ready) co_return;
    }
  }

  void end(Error error) {
    if (!error_) error_ = std::move(error);
    group_.stop();
  }

  Session& session_;
  const Router& router_;
  const BindSocket& socket_;
  BoundPeer peer_;
  std::optional<Error> error_;
  TaskGroup group_;
};

Task<Result<BoundPeer>> wait_for_peer(Session& session, const Router& router, const BindSocket& socket) {
  PeerWait wait(co_await this_scope(), session, router, socket);
  co_return co_await wait.run();
}

}  // namespace

std::expected<BindSocket, int> BindSocket::listen(const SocketAddress& local, bool both_families,
                                                  std::optional<IpAddress> only_from) {
  Fd socket(::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return std::unexpected(errno);
  set_options(socket.get(), local, both_families);
  sockaddr_storage native;
  socklen_t length = local.to_native(native);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&native), length) < 0) return std::unexpected(errno);
  if (::listen(socket.get(), kBacklog) < 0) return std::unexpected(errno);
  return BindSocket(std::move(socket), only_from);
}

SocketAddress BindSocket::local() const {
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&native), &length);
  return SocketAddress::from_native(native);
}

Task<Result<BindSocket>> listen_for_peer(Session& session, const Router& router, Endpoint requested) {
  bool both_families = requested.host.empty();
  IpAddress ip = IpAddress::v6({});
  if (!both_families) {
    auto resolved = co_await router.resolve(session.io, requested.host);
    if (!resolved) co_return fail(Cause::other, resolved.error().text);
    ip = *resolved;
  }
  SocketAddress local(ip, requested.port);
  auto socket = BindSocket::listen(local, both_families, std::nullopt);
  if (!socket && socket.error() == EAFNOSUPPORT && both_families) {  // a kernel without IPv6
    local = SocketAddress(IpAddress(), requested.port);
    socket = BindSocket::listen(local, false, std::nullopt);
  }
  if (socket) co_return std::move(*socket);
  if (socket.error() == EADDRNOTAVAIL) co_return listen_for(ip, session.record.local().ip());
  co_return fail(listen_error(socket.error(), local));
}

Endpoint announced(const Session& session, const BindOptions& options, const BindSocket& socket) {
  std::uint16_t port = socket.local().port();
  if (!options.public_addr.empty()) return {options.public_addr, port};
  return {session.record.local().ip().to_string(), port};
}

Task<Result<BoundPeer>> await_peer(Session& session, const Router& router, BindSocket socket, Duration limit) {
  auto peer = co_await with_deadline(limit, wait_for_peer(session, router, socket));
  if (peer) session.record.set_route(socket.local(), peer->stream->remote());
  co_return peer;
}

Task<Result<>> relay_with_peer(Session& session, BoundPeer peer) {
  session.bytes.from_a += peer.early.size();
  if (auto sent = co_await write_all(*peer.stream, peer.early); !sent) co_return fail(sent.error().in("BIND: write"));
  peer.early = {};
  co_await run_tunnel(session, *peer.stream);
  co_return {};
}

}  // namespace gost
