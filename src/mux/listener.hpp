// MuxListener: each connection of another listener carries many streams; `mtcp`, and `mtls`, `mws`, `mwss`, `kcp` by
// what it listens on (wire.md §11).
#pragma once

#include "component/listener.hpp"
#include "mux/session.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost {

/// Delivers the streams that clients open. A connection without a stream counts among the clients that have not said
/// who they are, from accept to its first stream. When no more is accepted, a connection ends with its last stream.
class MuxListener final : public Listener {
 public:
  /// `options` must be valid.
  MuxListener(std::unique_ptr<Listener> below, const MuxOptions& options);
  ~MuxListener() override;

  Result<> bind(std::size_t loops) override { return below_->bind(loops); }
  SocketAddress address() const override { return below_->address(); }
  std::string network() const override { return below_->network(); }
  void seat(std::vector<ListenerSeat> seats) override;
  Task<> accept(std::size_t seat) override;
  void close() override { below_->close(); }

 private:
  class Seat;
  class Connection;

  std::unique_ptr<Listener> below_;
  MuxOptions options_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace gost
