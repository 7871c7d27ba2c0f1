// Sessions of datagrams that come and go: open, one datagram and its echo, leave; a fixed number at a time.
#include "load/turnover.hpp"
#include "load/udp_question.hpp"

#include <sys/epoll.h>

namespace gost::load {
namespace {

class UdpConnect : public Turnover {
 public:
  explicit UdpConnect(const Run& run) : Turnover(run), question_(run) {}

  void on_open(Tunnel& tunnel) override { question_.ask(tunnel); }

  void on_events(Tunnel& tunnel, std::uint32_t events) override {
    if ((events & (EPOLLIN | EPOLLERR)) == 0) return;
    const auto asked = tunnel.waiting_since;
    if (question_.answered(tunnel)) complete(tunnel, asked);
  }

 private:
  UdpQuestion question_;
};

}  // namespace

nlohmann::ordered_json run_udp_connect(const Run& run) {
  return UdpConnect(run).measure([] {});
}

}  // namespace gost::load
