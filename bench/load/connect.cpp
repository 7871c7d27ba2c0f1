// Connection rate: connect, handshake, one byte each way, close; a fixed number at a time.
#include "load/modes.hpp"
#include "load/report.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace gost::load {
namespace {

class Connect : public TunnelUser {
 public:
  explicit Connect(const Run& run) : run_(run), slots_(std::min(run.options.concurrency, run.options.connections)) {
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
    const bool drained = drain(run_);
    result.after = measure_trees(options.server_pids);
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["latency_us"] = latencies_.summary();
    report["drained"] = drained;
    return report;
  }

  void on_open(Tunnel& tunnel) override {
    if (!run_.options.exchange) return complete(tunnel);
    const char byte = 'x';
    if (send(tunnel.fd, &byte, 1, MSG_NOSIGNAL) != 1) run_.client.fail_tunnel(tunnel, system_text(errno));
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    char byte = 0;
    const auto count = recv(tunnel.fd, &byte, 1, 0);
    if (count == 1) return complete(tunnel);
    if (count < 0 && errno == EAGAIN) return;
    run_.client.fail_tunnel(tunnel, count == 0 ? "ended before the echo" : system_text(errno));
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

  void complete(Tunnel& tunnel) {
    latencies_.add(run_.client.now() - tunnel.waiting_since);
    run_.client.close(tunnel);
    ++completed_;
    ++ended_;
    start_next(tunnel);
  }

  const Run& run_;
  std::vector<Tunnel> slots_;
  Latencies latencies_;
  std::uint32_t started_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t completed_ = 0;
};

}  // namespace

nlohmann::ordered_json run_connect(const Run& run) {
  return Connect(run).measure();
}

bool drain(const Run& run) {
  using namespace std::chrono_literals;
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (run.sink.counters().open.load(std::memory_order_relaxed) != 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace gost::load
