// Session: one accepted connection on its way through a handler; Handler: what is said on it.
#pragma once

#include "component/handshake_gate.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "observe/connection_record.hpp"
#include "runtime/task.hpp"

#include <memory>

namespace gost {

struct Session {
  Session(IoContext& context, std::unique_ptr<Stream> stream, ConnectionRecord connection)
      : io(context), client(std::move(stream)), record(std::move(connection)) {}

  IoContext& io;
  std::unique_ptr<Stream> client;
  ConnectionRecord record;
  /// What the client has sent already and somebody has read, for handlers behind `auto`.
  std::optional<std::uint8_t> first_byte;
  /// Held until the client has said who it is and what it wants.
  HandshakeGate::Slot handshake;
  RelayCounters bytes;

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
