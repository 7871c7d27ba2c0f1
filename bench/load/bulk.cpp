// Bulk: streams that carry as much as they can, down, up or both ways, for a time or for a number of bytes.
#include "load/report.hpp"
#include "load/tunnel_set.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace gost::load {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t chunk = std::size_t{256} * 1024;
constexpr auto warm_up = 250ms;  // windows open, the server switches to its fast path

class Bulk : public TunnelSet {
 public:
  explicit Bulk(const Run& run)
      : TunnelSet(run, run.options.streams),
        down_(run.options.mode != Mode::bulk_up),
        up_(run.options.mode != Mode::bulk_down),
        buffer_(chunk, 'x') {}

  nlohmann::ordered_json measure() {
    open_all();
    measuring_ = true;
    for (auto& tunnel : tunnels_) {
      if (tunnel.fd >= 0)
        run_.client.watch_level(tunnel, std::uint32_t{EPOLLIN} | (up_ ? std::uint32_t{EPOLLOUT} : 0U));
    }
    const auto result = run_.options.bytes != 0 ? until_bytes() : for_time();
    for (auto& tunnel : tunnels_) run_.client.close(tunnel, true);
    auto report = make_report(run_.options, result, run_.client, run_.sink.pid());
    report["streams"] = open_;
    // The slowest stream's share of the mean: how evenly the server serves them.
    std::uint64_t least = UINT64_MAX;
    std::uint64_t sum = 0;
    for (const auto& tunnel : tunnels_) {
      least = std::min(least, tunnel.received + tunnel.sent);
      sum += tunnel.received + tunnel.sent;
    }
    if (sum > 0)
      report["slowest_stream_share"] = static_cast<double>(least * tunnels_.size()) / static_cast<double>(sum);
    return report;
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if (!measuring_) return;
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && !receive(tunnel)) return;
    if ((events & EPOLLOUT) != 0 && up_) send_chunk(tunnel);
  }

 private:
  std::uint64_t moved() const {
    return received_ + (up_ ? run_.sink.counters().received.load(std::memory_order_relaxed) : 0);
  }

  Measurement for_time() {
    const auto start = run_.client.now() + warm_up;
    while (failed_ < tunnels_.size() && before(start)) poll(start);
    Measurement result;
    result.before = measure_trees(run_.options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    const auto bytes_before = moved();
    const auto end = std::min(run_.deadline, begin + run_.options.seconds);
    while (failed_ < tunnels_.size() && before(end)) poll(end);
    result.bytes = moved() - bytes_before;
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.after = measure_trees(run_.options.server_pids);
    return result;
  }

  Measurement until_bytes() {
    Measurement result;
    result.before = measure_trees(run_.options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    while (finished_ + failed_ < tunnels_.size() && before(run_.deadline)) poll(run_.deadline);
    for (auto& tunnel : tunnels_) {
      if (tunnel.fd >= 0) run_.client.fail_tunnel(tunnel, "the run timed out");
    }
    drain(run_);
    result.bytes = moved();
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.after = measure_trees(run_.options.server_pids);
    result.completed = finished_;
    return result;
  }

  /// False if the tunnel is closed now.
  bool receive(Tunnel& tunnel) {
    // MSG_TRUNC throws the bytes away inside the kernel, so the generator stays cheaper than any proxy.
    const auto count = recv(tunnel.fd, nullptr, std::size_t{1} << 22, MSG_TRUNC);
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) {
      const bool all_sent = up_ && !down_ && run_.options.bytes != 0 && tunnel.sent == run_.options.bytes;
      if (count == 0 && all_sent) {
        finish(tunnel);
      } else {
        run_.client.fail_tunnel(tunnel, count == 0 ? "ended before its time" : system_text(errno));
      }
      return false;
    }
    tunnel.received += static_cast<std::uint64_t>(count);
    received_ += static_cast<std::uint64_t>(count);
    return !finish_if_done(tunnel);
  }

  void send_chunk(Tunnel& tunnel) {
    const auto limit = run_.options.bytes;
    const auto size = limit == 0 ? chunk : std::min<std::uint64_t>(chunk, limit - tunnel.sent);
    const auto count = send(tunnel.fd, buffer_.data(), size, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return run_.client.fail_tunnel(tunnel, system_text(errno));
    tunnel.sent += static_cast<std::uint64_t>(count);
    if (limit == 0 || tunnel.sent < limit) return;
    if (finish_if_done(tunnel)) return;
    // The sink answers the end with its own, which shows that all has arrived. While it still has to send, nothing is
    // ended: many servers drop a tunnel at the first half-close.
    if (!down_) shutdown(tunnel.fd, SHUT_WR);
    run_.client.watch_level(tunnel, EPOLLIN);
  }

  /// A stream with downloads is done when it has received, and sent, its bytes; an upload when the sink has ended it.
  bool finish_if_done(Tunnel& tunnel) {
    const auto limit = run_.options.bytes;
    if (limit == 0 || !down_ || tunnel.received < limit || (up_ && tunnel.sent < limit)) return false;
    finish(tunnel);
    return true;
  }

  void finish(Tunnel& tunnel) {
    ++finished_;
    run_.client.close(tunnel);
  }

  bool down_;
  bool up_;
  bool measuring_ = false;
  std::vector<char> buffer_;
  std::uint64_t received_ = 0;
  std::uint32_t finished_ = 0;
};

}  // namespace

nlohmann::ordered_json run_bulk(const Run& run) {
  return Bulk(run).measure();
}

}  // namespace gost::load
