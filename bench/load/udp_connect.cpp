// Sessions of datagrams that come and go: open, one datagram and its echo, leave; a fixed number at a time.
#include "load/report.hpp"
#include "load/udp_question.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>

namespace gost::load {
namespace {

class UdpConnect : public TunnelUser {
 public:
  explicit UdpConnect(const Run& run)
      : run_(run), question_(run), slots_(std::min(run.options.concurrency, run.options.connections)) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) slots_[i].index = i;
  }

  nlohmann::ordered_json measure() {
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
    result.after = measure_trees(options.server_pids);
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["latency_us"] = latencies_.summary();
    return report;
  }

  void on_open(Tunnel& tunnel) override { question_.ask(tunnel); }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLERR)) == 0) return;
    const auto asked = tunnel.waiting_since;
    if (!question_.answered(tunnel)) return;
    latencies_.add(run_.client.now() - asked);
    run_.client.close(tunnel);
    ++completed_;
    ++ended_;
    start_next(tunnel);
  }

  void on_failed(Tunnel& tunnel) override {
    ++ended_;
    start_next(tunnel);
  }

 private:
  void start_next(Tunnel& slot) {
    if (started_ == run_.options.connections) return;
    ++started_;
    run_.client.start(slot);
  }

  const Run& run_;
  UdpQuestion question_;
  std::vector<Tunnel> slots_;
  Latencies latencies_;
  std::uint32_t started_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t completed_ = 0;
};

}  // namespace

nlohmann::ordered_json run_udp_connect(const Run& run) {
  return UdpConnect(run).measure();
}

}  // namespace gost::load
