// PeerDatagram: of a way for datagrams to anywhere, the way to one peer.
#pragma once

#include "net/datagram.hpp"

#include <memory>

namespace gost {

/// Owns the way below. Everything is sent to the peer, whatever address it names; what comes from elsewhere is
/// dropped, so a receive may yield no datagram at all.
class PeerDatagram final : public Datagram {
 public:
  PeerDatagram(std::unique_ptr<Datagram> below, SocketAddress peer) : below_(std::move(below)), peer_(peer) {}

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  std::uint64_t discarded() const override { return below_->discarded() + strangers_; }
  int take_error() override { return below_->take_error(); }
  bool pending() const override { return below_->pending(); }
  IoResult try_flush() override { return below_->try_flush(); }
  bool ready(Interest interest) const override { return below_->ready(interest); }
  Wait*& waiting(Interest interest) override { return below_->waiting(interest); }
  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return peer_; }
  void tune(const DatagramTuning& tuning) override { below_->tune(tuning); }
  std::string layers() const override { return below_->layers(); }
  Error error(int number) const override { return below_->error(number); }

 private:
  std::unique_ptr<Datagram> below_;
  SocketAddress peer_;
  std::uint64_t strangers_ = 0;  ///< datagrams from elsewhere
};

}  // namespace gost
