// Sessions of datagrams at rest: what one costs the server, and whether it still works afterwards.
#include "load/report.hpp"
#include "load/tunnel_set.hpp"
#include "load/udp_question.hpp"

#include <sys/epoll.h>

#include <chrono>

namespace gost::load {
namespace {

class UdpIdle : public TunnelSet {
 public:
  explicit UdpIdle(const Run& run) : TunnelSet(run, run.options.tunnels), question_(run) {}

  nlohmann::ordered_json measure() {
    const auto& options = run_.options;
    Measurement result;
    result.before = measure_trees(options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    open_all();
    const auto rest_until = std::min(run_.deadline, run_.client.now() + options.hold);
    while (before(rest_until)) poll(rest_until);
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.after = measure_trees(options.server_pids);
    ask_again();
    for (auto& tunnel : tunnels_) run_.client.close(tunnel);

    result.completed = echoed_;
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["tunnels"] = open_;
    report["echoed"] = echoed_;
    add_cost_per_tunnel(report, options, result, open_);
    return report;
  }

  /// A session is open when its first datagram has come back.
  void on_open(Tunnel& tunnel) override { question_.ask(tunnel); }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLERR)) == 0 || !question_.answered(tunnel)) return;
    if (!asking_again_) return TunnelSet::on_open(tunnel);
    tunnel.waiting_since = {};
    ++echoed_;
    ask_next();
  }

  void on_failed(Tunnel& tunnel) override {
    TunnelSet::on_failed(tunnel);
    if (asking_again_) ask_next();
  }

 private:
  void ask_again() {
    asking_again_ = true;
    const auto failed_before = failed_;
    for (std::uint32_t i = 0; i < run_.options.concurrency; ++i) ask_next();
    while (echoed_ + failed_ - failed_before < open_ && before(run_.deadline)) poll(run_.deadline);
    for (auto& tunnel : tunnels_) {
      const bool unasked = tunnel.fd >= 0 && tunnel.index >= asked_;
      if (unasked || tunnel.waiting_since != TimePoint{}) run_.client.fail_tunnel(tunnel, "the run timed out");
    }
  }

  void ask_next() {
    while (asked_ < tunnels_.size() && tunnels_[asked_].fd < 0) ++asked_;
    if (asked_ < tunnels_.size()) question_.ask(tunnels_[asked_++]);
  }

  UdpQuestion question_;
  bool asking_again_ = false;
  std::size_t asked_ = 0;
  std::uint32_t echoed_ = 0;
};

}  // namespace

nlohmann::ordered_json run_udp_idle(const Run& run) {
  return UdpIdle(run).measure();
}

}  // namespace gost::load
