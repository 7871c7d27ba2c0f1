// UdpRelay: both directions of datagrams between a client and the world, for UDP ASSOCIATE and UDP-TUN.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/datagram_relay.hpp"
#include "socks5/destinations.hpp"
#include "socks5/drops.hpp"

#include <optional>
#include <string>

namespace gost::socks5 {

struct UdpRelayOptions {
  /// The relay ends when no datagram passes for this long; 0: never.
  Duration idle_timeout = Duration::zero();
  /// Ask the rules for where datagrams come from, too (GOST: UDP-TUN yes, UDP ASSOCIATE no).
  bool filter_sources = false;
};

/// A DatagramRelay that asks the rules, looks names up, and ends with the control connection.
class UdpRelay final : private DatagramRelay {
 public:
  /// `client` yields destinations with what it receives and is told sources with what is sent to it; `outbound` is
  /// the way to the targets. `control` is the connection whose end is the end of the relay, or null if `client` is
  /// that by itself. All outlive run().
  UdpRelay(Scope& parent, Session& session, const Router& router, Datagram& client, Datagram& outbound,
           Stream* control, Drops& drops, const UdpRelayOptions& options);

  /// Relays to the end, counting in the session. Returns what broke it; nothing if the client ended it.
  Task<std::optional<Error>> run();

 private:
  Task<> watch_control();

  void pass_forth(std::span<const ReceivedDatagram> datagrams) override;
  void pass_back(std::span<const ReceivedDatagram> datagrams) override;
  void send_forth(std::span<const OutgoingDatagram> datagrams);
  void send_back(std::span<const OutgoingDatagram> datagrams);
  bool source_forbidden(const ReceivedDatagram& datagram);
  void note_send_error(const Datagram& end, int error);

  Session& session_;
  const Router& router_;
  Datagram& client_;
  Datagram& outbound_;
  Stream* control_;
  Drops& drops_;
  const bool filter_sources_;
  Destinations destinations_;
  int noted_error_ = 0;

  SocketAddress last_source_;
  std::string last_source_name_;
  bool last_source_forbidden_ = false;
  TimePoint last_source_until_{};
};

}  // namespace gost::socks5
