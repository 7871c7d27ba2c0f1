// ConnectionRecord: what is known of one accepted connection, and the lines that the log gets about it, in GOST's
// vocabulary (docs/logs.md).
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "observe/log.hpp"
#include "observe/sid.hpp"

#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

namespace gost {

/// The two loggers that the connections of one service share.
struct ConnectionLoggers {
  Logger handler;  ///< kind=handler
  Logger service;  ///< kind=service

  ConnectionLoggers() = default;
  ConnectionLoggers(const Logger& log, std::string_view service_name, std::string_view listener,
                    std::string_view handler_name);
};

/// Datagrams of a session that carries some, for its last line.
struct DatagramTotals {
  std::uint64_t input = 0;    ///< from the client
  std::uint64_t output = 0;   ///< to the client
  std::uint64_t dropped = 0;  ///< either way
};

/// Keeps raw values and renders them only for a line that is really written: with its level disabled every function
/// here is a comparison. Belongs to one connection on one loop.
class ConnectionRecord {
 public:
  /// `loggers` must outlive the record. `remote` and `local` are the ends of the accepted connection; `network` and
  /// `command` (below) are literals.
  ConnectionRecord(const ConnectionLoggers& loggers, std::string_view network, const SocketAddress& remote,
                   const SocketAddress& local, const Sid& sid, TimePoint now);

  /// The address of the real client where it is not `remote` (PROXY protocol).
  void set_client(const SocketAddress& client) { client_ = client; }
  /// The user name as presented: call it before the password is checked, so that a refusal names it.
  void set_user(std::string user) { user_ = std::move(user); }
  /// What the client asked for: "connect", "bind", "udp"…, and the target as it wrote it.
  void set_request(std::string_view command, Endpoint target) {
    command_ = command;
    target_ = std::move(target);
  }
  /// The ends of the connection to the target or to the next proxy.
  void set_route(const SocketAddress& source, const SocketAddress& destination) {
    source_ = source;
    destination_ = destination;
  }

  /// The session carries datagrams, so many so far: the last line tells them beside the bytes.
  void set_datagrams(const DatagramTotals& datagrams) { datagrams_ = datagrams; }

  /// The own end towards many targets, where there is no one destination.
  void set_source(const SocketAddress& source) { source_ = source; }

  const SocketAddress& remote() const { return remote_; }
  const SocketAddress& local() const { return local_; }
  const SocketAddress& client() const { return client_; }
  const Sid& sid() const { return sid_; }
  const std::string& user() const { return user_; }
  const std::optional<Endpoint>& target() const { return target_; }

  /// info `REMOTE <> LOCAL`: accepted.
  void accepted(const std::source_location& where = std::source_location::current()) const;
  /// debug `REMOTE >> TARGET`: the request is known.
  void requested(const std::source_location& where = std::source_location::current()) const;
  /// info `REMOTE <-> TARGET`: bytes begin to flow.
  void relay_started(TimePoint now, const std::source_location& where = std::source_location::current());
  /// info `REMOTE >-< TARGET`, with the duration of the relay and, if something broke it, the reason as `err`.
  void relay_ended(TimePoint now, const std::optional<Error>& error = {},
                   const std::source_location& where = std::source_location::current()) const;
  /// Something about this connection that is worth a sentence while it goes on.
  void note(Level level, std::string_view message,
            const std::source_location& where = std::source_location::current()) const;
  /// The connection failed before the handler saw it: its TLS or WebSocket handshake did. As failed(), but with no
  /// second line: whoever scans ports can provoke it at any rate.
  void handshake_failed(const Error& error, const std::source_location& where = std::source_location::current());
  /// The connection failed: one error line of the handler with all that is known, and GOST's second one of the
  /// service. What is no fault of anybody (the peer went away, the program stops) is logged at debug.
  /// The text is repeated as `err` in the last line.
  void failed(const Error& error, const std::source_location& where = std::source_location::current());
  /// info `REMOTE >< LOCAL`: done. `input_bytes` came from the client, `output_bytes` went to it; with
  /// set_datagrams() the line has `inputDatagrams`, `outputDatagrams` and `droppedDatagrams` as well.
  void finished(std::uint64_t input_bytes, std::uint64_t output_bytes, TimePoint now,
                const std::source_location& where = std::source_location::current()) const;

 private:
  struct Rendered;
  /// Writes `REMOTE arrow PEER` with the fields of the connection and `extra`; the peer is the target or `local`.
  void write(Level level, std::string_view arrow, bool to_target, std::span<const Field> extra,
             const std::source_location& where) const;

  const ConnectionLoggers* loggers_;
  std::string_view network_;
  std::string_view command_;
  SocketAddress remote_;
  SocketAddress local_;
  SocketAddress client_;
  Sid sid_;
  TimePoint accepted_at_;
  TimePoint relay_started_at_{};
  std::string user_;
  std::string error_;
  std::optional<Endpoint> target_;
  std::optional<SocketAddress> source_;
  std::optional<SocketAddress> destination_;
  std::optional<DatagramTotals> datagrams_;
};

}  // namespace gost
