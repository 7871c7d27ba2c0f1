// The client's end of a UDP association (RFC 1928 §7, wire.md §7.3).
#pragma once

#include "component/connector.hpp"
#include "net/datagram.hpp"
#include "net/stream.hpp"
#include "socks5/control_watch.hpp"
#include "socks5/fragments.hpp"

#include <list>
#include <memory>
#include <span>
#include <string>

namespace gost::socks5 {

/// Where the relay of a proxy is that answered an ASSOCIATE with `bound`: an unspecified address means the proxy's
/// own one (as configured if that is an address, else the one to which `control` leads, else its name looked up), a
/// name is looked up, IPv4 first. Errors: Cause::protocol for port 0, else those of the lookup.
Task<Result<SocketAddress>> locate_relay(IoContext& io, Underlay& underlay, const Stream& control, Endpoint bound,
                                         const NameLookup& lookup);

/// Datagrams through the relay of a proxy, each with its SOCKS5 header; the path ends when the control stream does.
/// Fragments are put together; RSV is ignored.
class AssociatedDatagram final : public Datagram {
 public:
  /// `path` leads to `relay`; what comes from elsewhere is discarded. Header and payload together may have
  /// `buffer_size` bytes on the way out (EMSGSIZE), the payload alone on the way in; nothing is cut.
  AssociatedDatagram(Loop& loop, std::unique_ptr<Stream> control, std::unique_ptr<Datagram> path, SocketAddress relay,
                     std::size_t buffer_size);
  ~AssociatedDatagram() override;

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  bool pending() const override { return path_->pending(); }
  IoResult try_flush() override { return watch_->ended() ? IoResult::eof() : path_->try_flush(); }
  std::uint64_t discarded() const override { return discarded_ + fragments_.dropped() + path_->discarded(); }
  bool takes_names() const override { return true; }
  bool ready(Interest interest) const override { return watch_->ended() || path_->ready(interest); }
  Wait*& waiting(Interest interest) override { return path_->waiting(interest); }
  SocketAddress local() const override { return relay_; }
  std::string layers() const override { return path_->layers() + ",socks5"; }
  Error error(int number) const override { return path_->error(number); }

 private:
  /// Turns what came from the relay into what the target sent. False if there is nothing to deliver.
  bool unwrap(ReceivedDatagram& datagram, TimePoint now);
  bool came_from_relay(const ReceivedDatagram& datagram) const;

  std::unique_ptr<Datagram> path_;
  SocketAddress relay_;
  std::size_t buffer_size_;
  Fragments fragments_;
  std::list<Fragments::Whole> reassembled_;  ///< what the last batch has views into
  std::uint64_t discarded_ = 0;
  std::unique_ptr<ControlWatch> watch_;
};

}  // namespace gost::socks5
