// Round trips of datagrams: each tunnel has a window of them under way, and every echo sends the next.
#include "load/datagrams.hpp"
#include "load/report.hpp"
#include "load/tunnel_set.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

namespace gost::load {
namespace {

using namespace std::chrono_literals;

constexpr auto given_up_after = 500ms;  // a datagram without an answer is lost, and its place is used again
constexpr auto search_interval = 100ms;
constexpr std::size_t longest_header = 22;  // an IPv6 address

class UdpEcho : public TunnelSet {
 public:
  explicit UdpEcho(const Run& run)
      : TunnelSet(run, run.options.tunnels),
        window_(run.options.window),
        sent_at_(std::size_t{run.options.tunnels} * window_),
        rounds_(sent_at_.size()),
        received_(window_, longest_header + run.options.size),
        outgoing_(window_, run.options.size),
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
      for (std::uint32_t slot = 0; slot < window_; ++slot) add(tunnel, slot);
      if (tunnel.fd >= 0) outgoing_.send_all(tunnel.fd);
    }
    while (completed_ < wanted_ && failed_ < tunnels_.size() && before(end)) {
      poll(end);
      if (run_.client.now() >= next_search_) replace_lost();
    }
    result.seconds = std::chrono::duration<double>(run_.client.now() - begin).count();
    result.after = measure_trees(options.server_pids);
    result.completed = completed_;
    for (auto& tunnel : tunnels_) {
      if (options.trips != 0 && completed_ < wanted_ && tunnel.fd >= 0)
        run_.client.fail_tunnel(tunnel, "the run timed out");
      if (completed_ == 0 && tunnel.fd >= 0) run_.client.fail_tunnel(tunnel, "nothing came back");
      run_.client.close(tunnel);
    }
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["tunnels"] = open_;
    report["lost"] = lost_;
    report["latency_us"] = latencies_.summary();
    return report;
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if (!measuring_ || (events & (EPOLLIN | EPOLLERR)) == 0) return;
    const auto header = run_.client.header(tunnel).size();
    while (const auto count = received_.receive(tunnel.fd)) {
      for (unsigned i = 0; i < count; ++i) take(tunnel, received_.bytes(i), header);
      outgoing_.send_all(tunnel.fd);
      if (count < window_) break;
    }
  }

 private:
  /// A number is the slot in the low half, and how often the slot was used in the high half.
  void add(Tunnel& tunnel, std::uint32_t slot) {
    const auto index = std::size_t{tunnel.index} * window_ + slot;
    sent_at_[index] = run_.client.now();
    outgoing_.add(run_.client.header(tunnel).view(), std::uint64_t{++rounds_[index]} << 32 | slot);
  }

  void take(Tunnel& tunnel, Bytes datagram, std::size_t header) {
    if (datagram.size() != header + run_.options.size) return;
    const auto number = number_of(datagram.subspan(header));
    const auto slot = static_cast<std::uint32_t>(number);
    const auto index = std::size_t{tunnel.index} * window_ + slot;
    // What was given up before it came does not count.
    if (slot >= window_ || rounds_[index] != number >> 32) return;
    ++completed_;
    latencies_.add(run_.client.now() - sent_at_[index]);
    if (!outgoing_.full()) add(tunnel, slot);
  }

  void replace_lost() {
    next_search_ = run_.client.now() + search_interval;
    for (auto& tunnel : tunnels_) {
      if (tunnel.fd < 0) continue;
      for (std::uint32_t slot = 0; slot < window_; ++slot) {
        if (sent_at_[std::size_t{tunnel.index} * window_ + slot] + given_up_after > run_.client.now()) continue;
        ++lost_;
        add(tunnel, slot);
      }
      outgoing_.send_all(tunnel.fd);
    }
  }

  std::uint32_t window_;
  std::vector<TimePoint> sent_at_;     ///< of each tunnel's slots
  std::vector<std::uint32_t> rounds_;  ///< of each tunnel's slots
  ReceivedDatagrams received_;
  OutgoingDatagrams outgoing_;
  Latencies latencies_;
  TimePoint next_search_{};
  std::uint64_t wanted_;
  std::uint64_t completed_ = 0;
  std::uint64_t lost_ = 0;
  bool measuring_ = false;
};

}  // namespace

nlohmann::ordered_json run_udp_echo(const Run& run) {
  return UdpEcho(run).measure();
}

}  // namespace gost::load
