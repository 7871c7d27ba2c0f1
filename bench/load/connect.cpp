// Connection rate: connect, handshake, one byte each way, close; a fixed number at a time.
#include "load/turnover.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace gost::load {
namespace {

class Connect : public Turnover {
 public:
  explicit Connect(const Run& run) : Turnover(run) {}

  void on_open(Tunnel& tunnel) override {
    if (!run_.options.exchange) return complete(tunnel, tunnel.waiting_since);
    const char byte = 'x';
    if (send(tunnel.fd, &byte, 1, MSG_NOSIGNAL) != 1) run_.client.fail_tunnel(tunnel, system_text(errno));
  }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    char byte = 0;
    const auto count = recv(tunnel.fd, &byte, 1, 0);
    if (count == 1) return complete(tunnel, tunnel.waiting_since);
    if (count < 0 && errno == EAGAIN) return;
    run_.client.fail_tunnel(tunnel, count == 0 ? "ended before the echo" : system_text(errno));
  }
};

}  // namespace

nlohmann::ordered_json run_connect(const Run& run) {
  bool drained = false;
  auto report = Connect(run).measure([&] { drained = drain(run); });
  report["drained"] = drained;
  return report;
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
