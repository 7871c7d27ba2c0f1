// Round trips: each tunnel sends a message, waits for its echo, and sends the next.
#include "load/report.hpp"
#include "load/tunnel_set.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <limits>

namespace gost::load {
namespace {

class Roundtrip : public TunnelSet {
 public:
  explicit Roundtrip(const Run& run)
      : TunnelSet(run, run.options.tunnels),
        message_(run.options.size, 'x'),
        buffer_(run.options.size),
        wanted_(run.options.trips != 0 ? run.options.trips : std::numeric_limits<std::uint64_t>::max()) {}

  nlohmann::ordered_json measure() {
    const auto& options = run_.options;
    open_all();
    measuring_ = true;
    Measurement result;
    result.before = measure_trees(options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    const auto end = options.trips != 0 ? run_.deadline : std::min(run_.deadline, begin + options.seconds);
    poll(begin);  // only sets the client's clock
    for (auto& tunnel : tunnels_) {
      if (tunnel.fd >= 0) send_message(tunnel);
    }
    while (completed_ < wanted_ && failed_ < tunnels_.size() && before(end)) poll(end);
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.after = measure_trees(options.server_pids);
    result.completed = completed_;
    for (auto& tunnel : tunnels_) {
      if (options.trips != 0 && completed_ < wanted_ && tunnel.fd >= 0)
        run_.client.fail_tunnel(tunnel, "the run timed out");
      run_.client.close(tunnel);
    }
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["tunnels"] = open_;
    report["latency_us"] = latencies_.summary();
    return report;
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if (!measuring_) return;
    if ((events & EPOLLOUT) != 0 && tunnel.sent < message_.size()) send_rest(tunnel);
    if (tunnel.fd < 0 || (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) == 0) return;
    while (true) {
      const auto count = recv(tunnel.fd, buffer_.data(), message_.size() - tunnel.received, 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        return run_.client.fail_tunnel(tunnel, count == 0 ? "ended during a round trip" : system_text(errno));
      }
      tunnel.received += static_cast<std::uint64_t>(count);
      if (tunnel.received == message_.size()) break;
    }
    ++completed_;
    latencies_.add(run_.client.now() - tunnel.waiting_since);
    if (completed_ < wanted_) send_message(tunnel);
  }

 private:
  void send_message(Tunnel& tunnel) {
    tunnel.sent = tunnel.received = 0;
    tunnel.waiting_since = run_.client.now();
    send_rest(tunnel);
  }

  void send_rest(Tunnel& tunnel) {
    const auto count = send(tunnel.fd, message_.data() + tunnel.sent, message_.size() - tunnel.sent, MSG_NOSIGNAL);
    if (count > 0) tunnel.sent += static_cast<std::uint64_t>(count);
    if (count < 0 && errno != EAGAIN) run_.client.fail_tunnel(tunnel, system_text(errno));
  }

  std::vector<char> message_;
  std::vector<char> buffer_;
  Latencies latencies_;
  std::uint64_t wanted_;
  std::uint64_t completed_ = 0;
  bool measuring_ = false;
};

}  // namespace

nlohmann::ordered_json run_roundtrip(const Run& run) {
  return Roundtrip(run).measure();
}

}  // namespace gost::load
