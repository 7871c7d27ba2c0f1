// One datagram and its echo: what opens a session and shows that it works.
#pragma once

#include "load/datagrams.hpp"
#include "load/modes.hpp"

#include <cerrno>

namespace gost::load {

class UdpQuestion {
 public:
  explicit UdpQuestion(const Run& run)
      : run_(run), outgoing_(1, run.options.size), received_(1, longest_header + run.options.size) {}

  /// Sends a datagram that no other tunnel sends, and from now on waits for its echo.
  void ask(Tunnel& tunnel) {
    tunnel.waiting_since = run_.client.now();
    tunnel.sent = std::uint64_t{tunnel.generation} << 32 | tunnel.index;
    outgoing_.add(run_.client.header(tunnel).view(), tunnel.sent);
    if (outgoing_.send_all(tunnel.fd) != 1) run_.client.fail_tunnel(tunnel, system_text(errno));
  }

  /// True if the echo has come. What else has come makes the tunnel fail.
  bool answered(Tunnel& tunnel) {
    errno = 0;
    if (received_.receive(tunnel.fd) == 0) {
      if (errno != EAGAIN) run_.client.fail_tunnel(tunnel, system_text(errno));
      return false;
    }
    const auto header = run_.client.header(tunnel).size();
    const auto datagram = received_.bytes(0);
    if (datagram.size() == header + run_.options.size && number_of(datagram.subspan(header)) == tunnel.sent)
      return true;
    run_.client.fail_tunnel(tunnel, "a wrong echo");
    return false;
  }

 private:
  static constexpr std::size_t longest_header = 22;  // an IPv6 address

  const Run& run_;
  OutgoingDatagrams outgoing_;
  ReceivedDatagrams received_;
};

}  // namespace gost::load
