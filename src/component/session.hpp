// Session: one accepted connection on its way through a handler; Handler: what is said on it.
#pragma once

#include "component/handshake_gate.hpp"
#include "component/router.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "observe/connection_record.hpp"
#include "runtime/task.hpp"

#include <memory>

namespace gost {

/// Datagrams of one session so far, readable while it runs.
struct DatagramCounters {
  std::uint64_t from_client = 0;
  std::uint64_t to_client = 0;
  std::uint64_t dropped = 0;  ///< either way: malformed, too long, forbidden, unreachable, no room
};

struct Session {
  Session(IoContext& context, std::unique_ptr<Stream> stream, ConnectionRecord connection)
      : io(context), client(std::move(stream)), record(std::move(connection)) {}

  IoContext& io;
  std::unique_ptr<Stream> client;      ///< null if the client speaks in datagrams
  std::unique_ptr<Datagram> datagram;  ///< the client's datagrams, where the listener is `udp`
  ConnectionRecord record;
  /// What the client has sent already and somebody has read, for handlers behind `auto`.
  std::optional<std::uint8_t> first_byte;
  /// Held until the client has said who it is and what it wants.
  HandshakeGate::Slot handshake;
  RelayCounters bytes;
  DatagramCounters datagrams;

  /// Who asks the router.
  Requester requester() const { return {record.client(), record.local(), record.user()}; }
  Bytes preread() const { return first_byte ? Bytes(&*first_byte, 1) : Bytes(); }
};

/// A handshake's error as the log tells it: of a time limit it says which one it was.
inline Error handshake_error(const Error& error) {
  return error.cause == Cause::timeout ? error.in("handshake") : error;
}

/// For the end of a refused session: what the client has sent beyond its request is read and dropped, for a moment,
/// so that closing does not reset the connection before the client has read the answer.
Task<> drop_unread(Stream& client);

/// Immutable and shared by all loops.
class Handler {
 public:
  virtual ~Handler() = default;

  /// Serves the session to its end. An error is what the log tells as the reason for its failure.
  virtual Task<Result<>> handle(Session& session) const = 0;
};

}  // namespace gost
