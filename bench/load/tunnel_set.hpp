// A fixed number of tunnels that are all opened before a mode begins.
#pragma once

#include "load/modes.hpp"

#include <cstdint>
#include <vector>

namespace gost::load {

class TunnelSet : public TunnelUser {
 public:
  void on_open(Tunnel& tunnel) override {
    tunnel.waiting_since = {};
    ++open_;
    start_next();
  }
  void on_failed(Tunnel&) override {
    ++failed_;
    start_next();
  }
  /// While tunnels are being opened nothing is read: what arrives stays in the socket.
  void on_events(Tunnel&, std::uint32_t) override {}

 protected:
  TunnelSet(const Run& run, std::uint32_t count) : run_(run), tunnels_(count) {
    for (std::uint32_t i = 0; i < count; ++i) tunnels_[i].index = i;
  }

  /// Opens all of them, `concurrency` at a time; afterwards each is open or has failed.
  void open_all() {
    for (std::uint32_t i = 0; i < run_.options.concurrency; ++i) start_next();
    while (open_ + failed_ < tunnels_.size() && before(run_.deadline)) poll(run_.deadline);
    next_ = tunnels_.size();
    for (auto& tunnel : tunnels_) {
      if (tunnel.phase != Tunnel::Phase::open && tunnel.fd >= 0) run_.client.fail_tunnel(tunnel, "the run timed out");
    }
  }

  bool before(TimePoint time) const { return run_.client.now() < time; }
  void poll(TimePoint until) { run_.client.poll(*this, tunnels_, until); }

  const Run& run_;
  std::vector<Tunnel> tunnels_;
  std::uint32_t open_ = 0;
  std::uint32_t failed_ = 0;

 private:
  void start_next() {
    if (next_ < tunnels_.size()) run_.client.start(tunnels_[next_++]);
  }

  std::size_t next_ = 0;
};

}  // namespace gost::load
