// RemoteBind: a port that listens for us, at the end of a chain or on this machine.
#pragma once

#include "core/address.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <memory>

namespace gost {

/// Belongs to one loop. Somebody has to run() it for as long as it is wanted, and for as long as its peers live: what
/// carries them may be one session. Destroyed when run() and every accept() have ended; peers may outlive it.
class RemoteBind {
 public:
  virtual ~RemoteBind() = default;

  /// Where it listens, in the words of whoever listens: the host may be a name, or unspecified.
  virtual Endpoint bound() const = 0;
  /// Takes peers until the way to the port is lost or the scope is stopped; after close() until the last peer has
  /// gone. Called once.
  virtual Task<> run() = 0;
  /// The next peer, whose remote() is its address at the port. Errors: why there will be no more of them, or a stop.
  /// One caller at a time.
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  /// Takes no more peers; those that nobody has accepted are dropped.
  virtual void close() = 0;
};

}  // namespace gost
