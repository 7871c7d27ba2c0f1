// TCP sockets: streams, listening sockets, connecting.
#pragma once

#include "net/fd.hpp"
#include "net/socket_options.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <atomic>
#include <string>
#include <utility>

namespace gost {

/// Counts one connection for as long as it exists, so that new ones can be placed on the loop with the fewest.
class ConnectionToken {
 public:
  ConnectionToken() = default;
  explicit ConnectionToken(std::atomic<int>& count) : count_(&count) {
    count.fetch_add(1, std::memory_order_relaxed);
  }
  ConnectionToken(ConnectionToken&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  ConnectionToken& operator=(ConnectionToken&&) = delete;
  ~ConnectionToken() {
    if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<int>* count_ = nullptr;
};

class TcpStream final : public Stream {
 public:
  /// Takes a connected, non-blocking socket. Errors when the loop cannot watch it.
  static Result<std::unique_ptr<TcpStream>> adopt(Loop& loop, Fd socket, SocketAddress remote,
                                                  ConnectionToken token = {});

  IoResult try_read(MutableBytes into) override;
  IoResult try_write(Bytes from) override;
  IoResult try_shutdown() override;
  void abort() override;
  std::size_t undelivered() const override;
  bool ready(Interest interest) const override {
    return interest == Interest::read ? watch_.readable() : watch_.writable();
  }
  Wait*& waiting(Interest interest) override {
    return interest == Interest::read ? watch_.reader() : watch_.writer();
  }
  IoWatch* kernel(Interest) override { return &watch_; }
  SocketAddress local() const override;
  SocketAddress remote() const override { return remote_; }
  std::string layers() const override { return "tcp"; }

 private:
  friend Task<Result<std::unique_ptr<TcpStream>>> connect_tcp(SocketAddress to, const SocketOptions& options);
  TcpStream(Fd socket, SocketAddress remote, ConnectionToken token)
      : token_(std::move(token)), socket_(std::move(socket)), remote_(remote) {}

  ConnectionToken token_;
  Fd socket_;
  IoWatch watch_;
  SocketAddress remote_;
};

/// Connects, with TCP_NODELAY and the given options (keepalive as GOST has it by default). Errors are worded as Go
/// words them ("dial tcp 127.0.0.1:1: connect: connection refused"). An unspecified address means the local host.
GOST_OWN_FRAME Task<Result<std::unique_ptr<TcpStream>>> connect_tcp(SocketAddress to,
                                                                    const SocketOptions& options = {});

struct ListenOptions {
  KeepAlive keepalive;      ///< of accepted sockets
  bool multipath = false;   ///< MPTCP, where the kernel has it
  bool reuse_port = false;  ///< SO_REUSEPORT
};

/// A bound, listening socket that any number of loops may watch.
class TcpListenSocket {
 public:
  /// Binds GOST's `addr`: ":port" is both families, "[v6]:port" IPv6, anything else IPv4 only; a name is looked up
  /// (blocking: for start-up). Accepted sockets inherit TCP_NODELAY and keepalive. Errors: "listen tcp :1080: bind:
  /// address already in use".
  static Result<TcpListenSocket> bind(const std::string& address, const ListenOptions& options = {});

  int fd() const { return socket_.get(); }
  SocketAddress local() const;

 private:
  explicit TcpListenSocket(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

/// One connection from a listening socket, not yet bound to a loop.
struct Accepted {
  Fd socket;
  SocketAddress remote;
};

/// Accepts without waiting. The error is an errno; EAGAIN if nobody is there.
std::expected<Accepted, int> try_accept(int listening_fd);

}  // namespace gost
