// Listener: where accepted streams come from.
#pragma once

#include "component/handshake_gate.hpp"
#include "core/address.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost {

/// What is said on an accepted connection before it is handed to a handler: the handshake of TLS or WebSocket.
class StreamUpgrade {
 public:
  virtual ~StreamUpgrade() = default;
  /// Puts a layer upon `below`, within a time limit of its own. After an error the connection is closed.
  virtual Task<Result<std::unique_ptr<Stream>>> upgrade(IoContext& io, std::unique_ptr<Stream> below) const = 0;
};

/// Takes what a listener accepted, on the loop to which it belongs.
class StreamSink {
 public:
  virtual void deliver(std::unique_ptr<Stream> stream) = 0;
  /// The datagrams of one client: `peer` is its address, `local` the one that it sends to.
  virtual void deliver(std::unique_ptr<Datagram> datagrams, SocketAddress peer, SocketAddress local) = 0;
  /// Runs what carries delivered streams (a mux session), for as long as the service has sessions at most.
  virtual void carry(Task<> carrier) = 0;
  /// Counts a carrier among the clients that have not said who they are, until the slot is left; `scope` is stopped
  /// if there are too many of them.
  virtual void enter_handshake(HandshakeGate::Slot& slot, Scope& scope) = 0;
  /// Somebody could not be accepted, or nobody can for a while (out of descriptors, a limit reached); the listener
  /// goes on by itself. Said as often as it happens: the sink tells it now and then.
  virtual void accept_failed(const Error& error, Duration retry_in) = 0;
  /// What a user should know of one client's datagrams; a listener says it at most once for each session.
  virtual void warn(const SocketAddress& client, const std::string& text) = 0;

 protected:
  ~StreamSink() = default;
};

/// One loop's place at a listener.
struct ListenerSeat {
  IoContext* io;
  StreamSink* sink;
};

class Listener {
 public:
  virtual ~Listener() = default;

  /// Takes the address, for so many loops. Called once, before anything runs. Errors name the address and say why.
  virtual Result<> bind(std::size_t loops) = 0;
  /// The address in force, for the log: "127.0.0.1:1080".
  virtual SocketAddress address() const = 0;
  /// "tcp", "udp".
  virtual std::string network() const = 0;
  /// Tells which loops take part. Called once, after bind() and before accept().
  virtual void seat(std::vector<ListenerSeat> seats) = 0;
  /// To be done on each delivered stream before anything else, by the coroutine that serves it; null: nothing.
  virtual const StreamUpgrade* upgrade() const { return nullptr; }
  /// Accepts on the loop number `seat` until the scope is stopped.
  virtual Task<> accept(std::size_t seat) = 0;
  /// Gives the address back: whoever connects now is refused and does not wait for an answer that never comes. Called
  /// once, when every accept() has ended.
  virtual void close() = 0;
};

}  // namespace gost
