#include "net/tcp.hpp"

#include "net/listen_address.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace gost {

namespace {

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int whole_seconds(Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

/// As Go sets them on every socket; set on a listening socket, accepted sockets inherit all of it.
void set_options(int fd, const KeepAlive& keepalive) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(keepalive.idle));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(keepalive.interval));
  if (keepalive.count != KeepAlive().count) set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive.count);
}

IoResult result_of(ssize_t moved) {
  if (moved >= 0) return IoResult::moved(static_cast<std::size_t>(moved));
  return errno == EAGAIN ? IoResult::would_block() : IoResult::failed(errno);
}

SocketAddress local_address(int fd) {
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&native), &length);
  return SocketAddress::from_native(native);
}

Result<Fd> bind_listener(const ListenAddress& target, const ListenOptions& options) {
  constexpr int kType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Fd socket(::socket(target.address.family(), kType, options.multipath ? IPPROTO_MPTCP : 0));
  if (!socket && options.multipath) socket = Fd(::socket(target.address.family(), kType, 0));
  if (!socket) {
    if (target.both_families && errno == EAFNOSUPPORT)  // a kernel without IPv6
      return bind_listener({{IpAddress(), target.address.port()}, false, target.ipv4_only}, options);
    return fail(Error::system(errno, "socket"));
  }
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (target.address.family() == AF_INET6)
    set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, target.both_families ? 0 : 1);
  set_options(socket.get(), options.keepalive);
  sockaddr_storage native;
  socklen_t length = target.address.to_native(native);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&native), length) < 0)
    return fail(Error::system(errno, "bind"));
  if (::listen(socket.get(), 65535) < 0) return fail(Error::system(errno, "listen"));  // the kernel caps it
  return socket;
}

}  // namespace

Result<std::unique_ptr<TcpStream>> TcpStream::adopt(Loop& loop, Fd socket, SocketAddress remote,
                                                    ConnectionToken token) {
  std::unique_ptr<TcpStream> stream(new TcpStream(std::move(socket), remote, std::move(token)));
  if (auto started = stream->watch_.start(loop, stream->socket_.get()); !started) return fail(started.error());
  return stream;
}

IoResult TcpStream::try_read(MutableBytes into) {
  ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
  if (got == 0) return IoResult::eof();
  // A short read has emptied the socket; the next byte makes a new edge, unless the end was announced already.
  if (static_cast<std::size_t>(got) < into.size() || got < 0) {
    if (got < 0 ? errno == EAGAIN : !watch_.hung_up()) watch_.not_readable();
  }
  return result_of(got);
}

IoResult TcpStream::try_write(Bytes from) {
  ssize_t sent = ::send(socket_.get(), from.data(), from.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) watch_.not_writable();
  return result_of(sent);
}

IoResult TcpStream::try_shutdown() {
  return ::shutdown(socket_.get(), SHUT_WR) == 0 ? IoResult::moved(0) : IoResult::failed(errno);
}

void TcpStream::abort() {
  linger option{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

std::size_t TcpStream::undelivered() const {
  int queued = 0;
  ::ioctl(socket_.get(), SIOCOUTQ, &queued);
  return queued > 0 ? static_cast<std::size_t>(queued) : 0;
}

SocketAddress TcpStream::local() const {
  return local_address(socket_.get());
}

Task<Result<std::unique_ptr<TcpStream>>> connect_tcp(SocketAddress to, const SocketOptions& options) {
  if (to.ip().is_unspecified()) to = SocketAddress(IpAddress::v4({127, 0, 0, 1}), to.port());
  auto failed = [&to](const Error& error) { return fail(error.in("dial tcp " + to.to_string())); };

  Fd socket(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return failed(Error::system(errno, "socket"));
  set_options(socket.get(), options.keepalive);
  if (options.mark != 0 || !options.interface.empty()) {
    if (auto applied = apply_socket_options(socket.get(), to.family(), options); !applied)
      co_return failed(applied.error());
  }
  sockaddr_storage native;
  socklen_t length = to.to_native(native);
  bool connecting = false;
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&native), length) < 0) {
    if (errno != EINPROGRESS) co_return failed(Error::system(errno, "connect"));
    connecting = true;
  }
  auto stream = TcpStream::adopt((co_await this_scope()).loop(), std::move(socket), to);
  if (!stream) co_return failed(stream.error());
  if (connecting) {
    IoWatch& watch = (*stream)->watch_;
    watch.not_writable();
    watch.not_readable();
    if (Outcome outcome = co_await until_ready(watch, Interest::write); outcome != Outcome::ready)
      co_return failed(stop_error(outcome));
    if (watch.hung_up()) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(watch.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) co_return failed(Error::system(error, "connect"));
    }
  }
  co_return stream;
}

Result<TcpListenSocket> TcpListenSocket::bind(const std::string& address, const ListenOptions& options) {
  auto target = parse_listen_address(address);
  if (!target) return fail(target.error().in("listen tcp"));
  auto socket = bind_listener(*target, options);
  if (!socket) return fail(socket.error().in((target->ipv4_only ? "listen tcp4 " : "listen tcp ") + address));
  return TcpListenSocket(std::move(*socket));
}

SocketAddress TcpListenSocket::local() const {
  return local_address(socket_.get());
}

std::expected<Accepted, int> try_accept(int listening_fd) {
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  int fd = ::accept4(listening_fd, reinterpret_cast<sockaddr*>(&native), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return std::unexpected(errno);
  return Accepted{Fd(fd), SocketAddress::from_native(native)};
}

}  // namespace gost
