// Idle tunnels: what one at rest costs the server, and whether it still works afterwards.
#include "load/report.hpp"
#include "load/tunnel_set.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace gost::load {
namespace {

class Idle : public TunnelSet {
 public:
  explicit Idle(const Run& run) : TunnelSet(run, run.options.tunnels) {}

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
    const auto at_rest = open_ - dropped_;
    echo_all();
    for (auto& tunnel : tunnels_) run_.client.close(tunnel);
    drain(run_);
    const auto closed = measure_trees(options.server_pids);

    result.completed = echoed_;
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["tunnels"] = at_rest;
    report["echoed"] = echoed_;
    add_cost_per_tunnel(report, options, result, at_rest);
    if (!options.server_pids.empty()) {
      report["server"]["private_kib_closed"] = closed.private_kib;
      report["server"]["fds_closed"] = closed.fds;
    }
    return report;
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if (echoing_) return echo(tunnel, events);
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      ++dropped_;
      run_.client.fail_tunnel(tunnel, "ended while at rest");
    }
  }

  void on_failed(Tunnel& tunnel) override {
    if (!echoing_) return TunnelSet::on_failed(tunnel);
    ++ended_;
    ask_next();
  }

 private:
  using Question = std::array<char, 16>;

  /// Different for each tunnel, so that an answer that went astray is seen.
  static Question question(const Tunnel& tunnel) {
    Question text{};
    const auto number = std::to_string(tunnel.index);
    std::memcpy(text.data(), number.data(), std::min(number.size(), text.size()));
    return text;
  }

  void echo_all() {
    echoing_ = true;
    std::uint32_t resting = 0;
    for (const auto& tunnel : tunnels_) resting += tunnel.fd >= 0 ? 1 : 0;
    for (std::uint32_t i = 0; i < run_.options.concurrency; ++i) ask_next();
    while (ended_ < resting && before(run_.deadline)) poll(run_.deadline);
    for (auto& tunnel : tunnels_) {
      const bool unasked = tunnel.fd >= 0 && tunnel.index >= asked_;
      if (unasked || tunnel.waiting_since != TimePoint{}) run_.client.fail_tunnel(tunnel, "the run timed out");
    }
  }

  void ask_next() {
    while (asked_ < tunnels_.size() && tunnels_[asked_].fd < 0) ++asked_;
    if (asked_ == tunnels_.size()) return;
    auto& tunnel = tunnels_[asked_++];
    tunnel.have = 0;
    tunnel.waiting_since = run_.client.now();
    const auto text = question(tunnel);
    if (send(tunnel.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
      run_.client.fail_tunnel(tunnel, system_text(errno));
    }
  }

  void echo(Tunnel& tunnel, std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    const auto expected = question(tunnel);
    const auto count = recv(tunnel.fd, tunnel.reply.data() + tunnel.have, expected.size() - tunnel.have, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return run_.client.fail_tunnel(tunnel, count == 0 ? "ended before the echo" : system_text(errno));
    tunnel.have = static_cast<std::uint16_t>(tunnel.have + count);
    if (tunnel.have < expected.size()) return;
    if (std::memcmp(tunnel.reply.data(), expected.data(), expected.size()) != 0) {
      return run_.client.fail_tunnel(tunnel, "a wrong echo");
    }
    tunnel.waiting_since = {};
    ++echoed_;
    ++ended_;
    ask_next();
  }

  bool echoing_ = false;
  std::size_t asked_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t echoed_ = 0;
  std::uint32_t dropped_ = 0;
};

}  // namespace

nlohmann::ordered_json run_idle(const Run& run) {
  return Idle(run).measure();
}

}  // namespace gost::load
