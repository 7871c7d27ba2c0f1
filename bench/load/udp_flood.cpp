// Datagrams in one direction, as many as the server delivers: the sink's count says when more may be sent.
#include "load/datagrams.hpp"
#include "load/report.hpp"
#include "load/tunnel_set.hpp"

#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace gost::load {
namespace {

using namespace std::chrono_literals;

constexpr auto warm_up = 250ms;
constexpr auto pause = 50us;
constexpr auto stalled_after = 20ms;  // no datagram has arrived for so long: those under way are lost
constexpr std::size_t longest_train = 65'000;
constexpr std::uint32_t most_in_train = 64;

/// The same datagram many times over one socket: as a train that the kernel cuts, or one by one in one system call.
class Train {
 public:
  Train(int fd, Bytes header, const Options& options)
      : fd_(fd), size_(header.size() + options.size), segmented_(options.segmentation && can_segment()) {
    const auto fit = static_cast<std::uint32_t>(longest_train / size_);
    count_ = std::min(options.window, segmented_ ? std::clamp(fit, 1U, most_in_train) : most_in_train);
    for (std::uint32_t i = 0; i < count_; ++i) {
      datagrams_.insert(datagrams_.end(), header.begin(), header.end());
      datagrams_.resize(datagrams_.size() + options.size, 'x');
    }
  }

  std::uint32_t count() const { return count_; }

  /// Sends all of them; returns how many the socket took.
  std::uint32_t send() {
    if (segmented_) return ::send(fd_, datagrams_.data(), datagrams_.size(), MSG_DONTWAIT) < 0 ? 0 : count_;
    std::array<iovec, most_in_train> pieces{};
    std::array<mmsghdr, most_in_train> messages{};
    for (std::uint32_t i = 0; i < count_; ++i) {
      pieces[i] = {.iov_base = datagrams_.data(), .iov_len = size_};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    return static_cast<std::uint32_t>(std::max(sendmmsg(fd_, messages.data(), count_, MSG_DONTWAIT), 0));
  }

 private:
  bool can_segment() const {
    const int size = static_cast<int>(size_);
    return setsockopt(fd_, SOL_UDP, UDP_SEGMENT, &size, sizeof size) == 0;
  }

  int fd_;
  std::size_t size_;
  bool segmented_;
  std::uint32_t count_ = 1;
  std::vector<std::uint8_t> datagrams_;
};

class UdpFlood : public TunnelSet {
 public:
  explicit UdpFlood(const Run& run) : TunnelSet(run, run.options.tunnels) {}

  nlohmann::ordered_json measure() {
    const auto& options = run_.options;
    open_all();
    for (auto& tunnel : tunnels_) {
      if (tunnel.fd >= 0) trains_.emplace_back(tunnel.fd, run_.client.header(tunnel).view(), options);
    }
    flood(std::min(run_.deadline, std::chrono::steady_clock::now() + warm_up));
    const auto sent_before = sent_;
    Measurement result;
    result.before = measure_trees(options.server_pids);
    const auto delivered_before = delivered();
    const auto begin = std::chrono::steady_clock::now();
    const auto end = flood(std::min(run_.deadline, begin + options.seconds));
    result.completed = delivered() - delivered_before;
    result.seconds = std::chrono::duration<double>(end - begin).count();
    result.after = measure_trees(options.server_pids);
    result.bytes = result.completed * options.size;
    for (auto& tunnel : tunnels_) {
      if (result.completed == 0 && tunnel.fd >= 0) run_.client.fail_tunnel(tunnel, "nothing was delivered");
      run_.client.close(tunnel);
    }

    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["tunnels"] = open_;
    report["sent"] = sent_ - sent_before;
    return report;
  }

 private:
  std::uint64_t delivered() const { return run_.sink.counters().datagrams.load(std::memory_order_relaxed); }

  /// Keeps a window of datagrams under way until `end`; returns when it stopped.
  TimePoint flood(TimePoint end) {
    auto now = std::chrono::steady_clock::now();
    auto last_delivered = delivered();
    auto last_progress = now;
    for (; now < end; now = std::chrono::steady_clock::now()) {
      const auto arrived = delivered();
      if (arrived != last_delivered) {
        last_delivered = arrived;
        last_progress = now;
      } else if (now - last_progress > stalled_after) {
        lost_ = sent_ - std::min(sent_, arrived);
        last_progress = now;
      }
      if (!send_window(arrived)) std::this_thread::sleep_for(pause);
    }
    return now;
  }

  /// Sends as long as the window has room; false if it had none.
  bool send_window(std::uint64_t arrived) {
    const auto window = std::uint64_t{run_.options.window} * trains_.size();
    bool any = false;
    while (!trains_.empty()) {
      auto& train = trains_[turn_ % trains_.size()];
      const auto gone = arrived + lost_;  // more than were sent if some that seemed lost were only late
      if (sent_ + train.count() > gone + window) return any;
      const auto count = train.send();
      if (count == 0) return any;
      sent_ += count;
      ++turn_;
      any = true;
    }
    return any;
  }

  std::vector<Train> trains_;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;  ///< of them, as far as is known
  std::size_t turn_ = 0;    ///< whose train is next
};

}  // namespace

nlohmann::ordered_json run_udp_flood(const Run& run) {
  return UdpFlood(run).measure();
}

}  // namespace gost::load
