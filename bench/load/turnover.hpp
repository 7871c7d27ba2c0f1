// Tunnels that come and go: a fixed number in all, so many of them at a time.
#pragma once

#include "load/modes.hpp"
#include "load/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace gost::load {

/// A mode says what an open tunnel does, and complete() when it has done it.
class Turnover : public TunnelUser {
 public:
  /// Until all have ended. `settle()` is called between that and the second look at the servers.
  template <class Settle>
  nlohmann::ordered_json measure(Settle settle) {
    const auto& options = run_.options;
    Measurement result;
    result.before = measure_trees(options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    for (auto& slot : slots_) start_next(slot);
    while (ended_ < options.connections && run_.client.now() < run_.deadline) {
      run_.client.poll(*this, slots_, run_.deadline);
    }
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.completed = completed_;
    for (auto& slot : slots_) {
      if (slot.fd >= 0) run_.client.fail_tunnel(slot, "the run timed out");
    }
    settle();
    result.after = measure_trees(options.server_pids);
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["latency_us"] = latencies_.summary();
    return report;
  }

  void on_failed(Tunnel& tunnel) override {
    ++ended_;
    start_next(tunnel);
  }

 protected:
  explicit Turnover(const Run& run) : run_(run), slots_(std::min(run.options.concurrency, run.options.connections)) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) slots_[i].index = i;
  }

  /// What the tunnel has been doing since `begin` is done.
  void complete(Tunnel& tunnel, TimePoint begin) {
    latencies_.add(run_.client.now() - begin);
    run_.client.close(tunnel);
    ++completed_;
    ++ended_;
    start_next(tunnel);
  }

  const Run& run_;

 private:
  void start_next(Tunnel& slot) {
    if (started_ == run_.options.connections) return;
    ++started_;
    run_.client.start(slot);
  }

  std::vector<Tunnel> slots_;
  Latencies latencies_;
  std::uint32_t started_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t completed_ = 0;
};

}  // namespace gost::load
