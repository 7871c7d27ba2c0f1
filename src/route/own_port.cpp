#include "route/own_port.hpp"

#include "net/acceptor.hpp"
#include "net/listen_address.hpp"
#include "net/udp.hpp"
#include "runtime/event.hpp"

#include <optional>

namespace gost {

namespace {

/// Its peers have sockets of their own, so it carries nothing.
class OwnPort final : public RemoteBind {
 public:
  OwnPort(IoContext& io, TcpListenSocket socket) : io_(io), socket_(std::move(socket)), local_(socket_->local()) {}

  Result<> start() { return acceptor_.start(io_.loop, socket_->fd()); }
  Endpoint bound() const override { return {local_.ip().to_string(), local_.port()}; }
  Task<> run() override { co_await closed_.until_set(); }
  Task<Result<std::unique_ptr<Stream>>> accept() override {
    for (;;) {
      auto accepted = co_await acceptor_.next();
      if (!accepted) co_return fail(std::move(accepted.error()));
      auto stream =
          TcpStream::adopt(io_.loop, std::move(accepted->socket), accepted->remote, ConnectionToken(io_.connections));
      if (stream) co_return std::move(*stream);
    }
  }
  void close() override {
    acceptor_.stop();
    socket_.reset();
    closed_.set();
  }

 private:
  IoContext& io_;
  std::optional<TcpListenSocket> socket_;
  SocketAddress local_;
  Acceptor acceptor_;
  Event closed_;
};

/// The address to listen on. A name has been looked up before, so what is still one does not exist.
Result<std::string> own_address(const Endpoint& at) {
  if (at.host.empty() || IpAddress::parse(at.host)) return at.to_string();
  return fail(Cause::host_unreachable, "listen " + at.to_string() + ": no such host");
}

}  // namespace

Result<std::unique_ptr<RemoteBind>> listen_here(IoContext& io, const Endpoint& at) {
  auto address = own_address(at);
  if (!address) return fail(std::move(address.error()));
  auto socket = TcpListenSocket::bind(*address);
  if (!socket) return fail(std::move(socket.error()));
  auto port = std::make_unique<OwnPort>(io, std::move(*socket));
  if (auto started = port->start(); !started) return fail(std::move(started.error()));
  return port;
}

Result<std::unique_ptr<Datagram>> listen_here_for_datagrams(IoContext& io, const Endpoint& at) {
  auto address = own_address(at);
  if (!address) return fail(std::move(address.error()));
  auto local = parse_listen_address(*address);
  if (!local) return fail(local.error().in("listen udp"));
  UdpOptions options;
  options.keep_local = local->address.ip().is_unspecified();
  auto socket = UdpSocket::bind(io.loop, local->address, local->both_families, options);
  if (!socket) return fail(std::move(socket.error()));
  return std::move(*socket);
}

}  // namespace gost
