// Association: the client's side of a UDP ASSOCIATE as a Datagram (RFC 1928 §7, wire.md §7).
#pragma once

#include "component/session.hpp"
#include "net/datagram.hpp"
#include "runtime/timer.hpp"
#include "socks5/drops.hpp"
#include "socks5/fragments.hpp"
#include "socks5/udp_codec.hpp"

#include <list>
#include <memory>

namespace gost::socks5 {

/// Who the client of an association is: the only one whose datagrams count and who gets any.
struct ClientPin {
  /// Its address, as its control connection tells; unspecified where that tells none (it is not over IP). Then the
  /// first sender is the client.
  IpAddress ip;
  /// Its port; 0 until its first well-formed datagram has told it.
  std::uint16_t port = 0;
};

/// The pin for a request: RFC 1928 §4 lets DST.ADDR and DST.PORT name where the client will send from. They count
/// only if they name the address of the control connection: anything else is what the client believes behind its NAT.
ClientPin pin_for(const SocketAddress& control_remote, const Endpoint& requested);

/// Receives datagrams with a header from the pinned client and yields what is in them, `peer` and `name` being the
/// destination; fragments are put together. Datagrams of anybody else, malformed ones, fragments that do not belong
/// together and what is longer than the limit (header included) are dropped and counted in the session. Sends to the
/// client, with `peer` and `name` as the source in the header; before the client is known it can only drop.
class Association final : public Datagram, private Timer {
 public:
  /// `session` and `limit` outlive the association.
  Association(std::unique_ptr<Datagram> socket, const ClientPin& pin, Session& session, Drops& drops);
  ~Association() override;

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  bool pending() const override { return socket_->pending(); }
  IoResult try_flush() override { return socket_->try_flush(); }
  std::uint64_t discarded() const override { return socket_->discarded(); }
  bool takes_names() const override { return true; }
  bool ready(Interest interest) const override { return socket_->ready(interest); }
  Wait*& waiting(Interest interest) override { return socket_->waiting(interest); }
  SocketAddress local() const override { return socket_->local(); }
  std::string layers() const override { return socket_->layers() + ",socks5"; }
  Error error(int number) const override { return socket_->error(number); }

 private:
  bool is_client(const SocketAddress& sender) const;
  /// Replaces a received datagram by what is in it; false: there is nothing.
  bool unwrap(ReceivedDatagram& datagram);
  bool put_together(const UdpHeader& header, ReceivedDatagram& datagram);
  void count_fragments();
  void on_timer();

  std::unique_ptr<Datagram> socket_;
  ClientPin pin_;
  Session& session_;
  Drops& drops_;
  Fragments fragments_;
  std::uint64_t fragments_counted_ = 0;
  std::list<Fragments::Whole> wholes_;  ///< what the last batch completed, while the batch refers to it
};

}  // namespace gost::socks5
