// Listener: where accepted streams come from.
#pragma once

#include "core/address.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost {

/// Takes the streams that a listener accepted, on the loop to which they belong.
class StreamSink {
 public:
  virtual void deliver(std::unique_ptr<Stream> stream) = 0;
  /// The listener cannot accept for a while (out of descriptors); it goes on by itself.
  virtual void accept_failed(const Error& error, Duration retry_in) = 0;

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

  /// Takes the address. Called once, before anything runs. Errors name the address and say why.
  virtual Result<> bind() = 0;
  /// The address in force, for the log: "127.0.0.1:1080".
  virtual SocketAddress address() const = 0;
  /// "tcp", "udp".
  virtual std::string network() const = 0;
  /// Tells which loops take part. Called once, after bind() and before accept().
  virtual void seat(std::vector<ListenerSeat> seats) = 0;
  /// Accepts on the loop number `seat` until the scope is stopped.
  virtual Task<> accept(std::size_t seat) = 0;
  /// Gives the address back: whoever connects now is refused and does not wait for an answer that never comes. Called
  /// once, when every accept() has ended.
  virtual void close() = 0;
};

}  // namespace gost
