// UdpRelay: both directions of datagrams between a client and the world, for UDP ASSOCIATE and UDP-TUN.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/datagram.hpp"
#include "runtime/task_group.hpp"
#include "socks5/destinations.hpp"
#include "socks5/size_limit.hpp"

#include <optional>
#include <string>

namespace gost::socks5 {

struct UdpRelayOptions {
  /// The relay ends when no datagram passes for this long; 0: never.
  Duration idle_timeout = Duration::zero();
  /// Ask the rules for where datagrams come from, too (GOST: UDP-TUN yes, UDP ASSOCIATE no).
  bool filter_sources = false;
};

/// Per wake-up one receive and one send of all that came. One datagram that cannot be passed on harms only itself and
/// is counted; what ends an end of the relay ends the relay. Idle it owns no buffer.
class UdpRelay {
 public:
  /// `client` yields destinations with what it receives and is told sources with what is sent to it; `outbound` is
  /// the way to the targets. `control` is the connection whose end is the end of the relay, or null if `client` is
  /// that by itself. All outlive run().
  UdpRelay(Scope& parent, Session& session, const Router& router, Datagram& client, Datagram& outbound,
           Stream* control, SizeLimit& limit, const UdpRelayOptions& options);

  /// Relays to the end, counting in the session. Returns what broke it; nothing if the client ended it.
  Task<std::optional<Error>> run();

 private:
  Task<> up();
  Task<> down();
  Task<> watch_control();
  Task<> watch_idle();
  /// Writes what waits in `end`; false if that is over.
  Task<bool> flush(Datagram& end);
  bool ready(Outcome outcome);
  void end(std::optional<Error> error);

  void pass_up(std::span<const ReceivedDatagram> datagrams);
  void pass_down(std::span<const ReceivedDatagram> datagrams);
  void send_up(std::span<const OutgoingDatagram> datagrams);
  void send_down(std::span<const OutgoingDatagram> datagrams);
  bool source_forbidden(const ReceivedDatagram& datagram);
  void note_send_error(const Datagram& end, int error);
  void touch() { last_passed_ = session_.io.loop.now(); }

  Session& session_;
  const Router& router_;
  Datagram& client_;
  Datagram& outbound_;
  Stream* control_;
  SizeLimit& limit_;
  const UdpRelayOptions options_;
  TaskGroup group_;
  Destinations destinations_;
  TimePoint last_passed_;
  bool ended_ = false;
  std::optional<Error> error_;
  int noted_error_ = 0;

  SocketAddress last_source_;
  std::string last_source_name_;
  bool last_source_forbidden_ = false;
  TimePoint last_source_until_{};
};

}  // namespace gost::socks5
