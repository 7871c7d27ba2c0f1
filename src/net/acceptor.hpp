// Acceptor: the connections that come to a listening socket of one loop, one after the other.
#pragma once

#include "net/tcp.hpp"
#include "runtime/turn.hpp"

namespace gost {

/// For a port of a session (BIND, MBIND, a remote forward's); the `tcp` listener shares its socket between loops.
class Acceptor {
 public:
  Acceptor() = default;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() { stop(); }

  /// Watches `fd`, a listening socket that lives until stop() or longer.
  Result<> start(Loop& loop, int fd);
  /// The next connection. One that was broken already is passed over; when descriptors are short they are waited for.
  /// Errors: Cause::canceled after stop(), or the stop of the caller's scope. One caller at a time.
  GOST_OWN_FRAME Task<Result<Accepted>> next();
  /// Ends a next() that waits; the socket may be closed then.
  void stop();

 private:
  IoWatch watch_;
  bool watching_ = false;
  Turn turn_;
};

}  // namespace gost
