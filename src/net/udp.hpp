// UDP sockets: batches by recvmmsg and sendmmsg, trains of datagrams by UDP_GRO and UDP_SEGMENT.
#pragma once

#include "net/datagram.hpp"
#include "net/fd.hpp"
#include "net/socket_options.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace gost {

struct UdpOptions {
  SocketOptions socket;     ///< interface, mark, batching
  bool reuse_port = false;  ///< SO_REUSEPORT: the kernel spreads peers over the sockets of one address
  /// Tell which own address a datagram came to, and send from the one that is given: a socket of all addresses
  /// answers from the address that it was asked at.
  bool keep_local = false;
};

class UdpSocket final : public Datagram {
 public:
  /// Bound to `local` (port 0: any). An IPv6 socket with `both_families` carries IPv4 too. Errors are worded as Go
  /// words them ("listen udp 127.0.0.1:53: bind: address already in use").
  static Result<std::unique_ptr<UdpSocket>> bind(Loop& loop, const SocketAddress& local, bool both_families,
                                                 const UdpOptions& options = {});
  /// For datagrams to and from anywhere: any port, both families where the kernel has IPv6.
  static Result<std::unique_ptr<UdpSocket>> open(Loop& loop, const UdpOptions& options = {});
  /// Connected: only `peer` is sent to, whatever the datagrams say, and only it can answer. An unspecified address
  /// means the local host. Errors: "dial udp 127.0.0.1:53: …".
  static Result<std::unique_ptr<UdpSocket>> connect(Loop& loop, SocketAddress peer, const UdpOptions& options = {});

  /// A bound descriptor that belongs to no loop yet, and the socket that is made of it. Errors as of bind().
  static Result<Fd> bind_descriptor(const SocketAddress& local, bool both_families, const UdpOptions& options = {});
  static Result<std::unique_ptr<UdpSocket>> adopt(Loop& loop, Fd socket, const UdpOptions& options = {},
                                                  std::optional<SocketAddress> peer = {});

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  std::uint64_t discarded() const override { return discarded_; }
  int take_error() override { return std::exchange(earlier_error_, 0); }
  bool ready(Interest interest) const override { return interest == Interest::write || watch_.readable(); }
  Wait*& waiting(Interest interest) override {
    return interest == Interest::read ? watch_.reader() : watch_.writer();
  }
  SocketAddress local() const override;
  SocketAddress remote() const override { return peer_.value_or(SocketAddress()); }
  void tune(const DatagramTuning& tuning) override;
  std::string layers() const override { return "udp"; }

 private:
  struct Messages;

  /// What a message that the kernel did not take means for the ones behind it.
  enum class Refusal : std::uint8_t { retry, drop_one, drop_all };
  Refusal judge(int error, std::size_t segments, std::size_t segment_size);

  UdpSocket(Fd socket, int family, const UdpOptions& options, std::optional<SocketAddress> peer);

  Fd socket_;
  IoWatch watch_;
  std::optional<SocketAddress> peer_;  ///< of a connected socket
  bool v6_;                            ///< IPv4 peers are written as mapped addresses
  bool batching_;
  bool keep_local_;
  /// Trains of larger datagrams are not sent: the kernel has refused one (it is more than the way's MTU allows).
  std::size_t largest_segment_;
  int earlier_error_ = 0;  ///< an ICMP message about something sent before, not told yet
  std::uint64_t discarded_ = 0;
};

}  // namespace gost
