#include "load/udp_sink.hpp"

#include "load/datagrams.hpp"

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace gost::load {
namespace {

constexpr unsigned batch = 64;
constexpr std::size_t longest_datagram = 65'535;

/// Waits for datagrams and gives `take` each socket that has some.
template <class Take>
[[noreturn]] void serve(std::span<const int> sockets, Take take) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (const int fd : sockets) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) std::_Exit(1);
  }
  std::array<epoll_event, 256> events{};
  while (true) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) std::_Exit(1);
    for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.fd);
  }
}

/// Counts datagrams and leaves their bytes inside the kernel.
class Counting {
 public:
  Counting() {
    for (std::size_t i = 0; i < batch; ++i) {
      messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
    }
  }

  void take(int fd, SinkCounters& counters) {
    for (auto& message : messages_) message.msg_hdr.msg_controllen = sizeof(Control);
    const int count = recvmmsg(fd, messages_.data(), batch, MSG_DONTWAIT | MSG_TRUNC, nullptr);
    std::uint64_t datagrams = 0;
    std::uint64_t bytes = 0;
    for (int i = 0; i < count; ++i) {
      auto& message = messages_[static_cast<std::size_t>(i)];
      bytes += message.msg_len;
      datagrams += segments(message);
    }
    counters.received.fetch_add(bytes, std::memory_order_relaxed);
    counters.datagrams.fetch_add(datagrams, std::memory_order_relaxed);
  }

 private:
  struct Control {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> bytes;
  };

  /// How many datagrams the kernel has joined into this one (UDP_GRO).
  static std::uint64_t segments(mmsghdr& message) {
    const auto* control = CMSG_FIRSTHDR(&message.msg_hdr);
    if (control == nullptr || control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) return 1;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    const auto segment = static_cast<unsigned>(size);
    return segment == 0 ? 1 : (message.msg_len + segment - 1) / segment;
  }

  std::array<mmsghdr, batch> messages_{};
  std::array<Control, batch> controls_{};
};

[[noreturn]] void echo(std::span<const int> sockets) {
  ReceivedDatagrams received(batch, longest_datagram);
  serve(sockets, [&received](int fd) { received.send_back(fd, received.receive(fd)); });
}

[[noreturn]] void discard(std::span<const int> sockets, SinkCounters& counters) {
  const int on = 1;
  for (const int fd : sockets) setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
  Counting counting;
  serve(sockets, [&counting, &counters](int fd) { counting.take(fd, counters); });
}

}  // namespace

Result<int> receive_on(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::system(errno, "sink: socket"));
  constexpr int room = 8 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, length) != 0 || getsockname(fd, generic, &length) != 0) {
    const int error = errno;
    close(fd);
    return fail(Error::system(error, "sink: bind"));
  }
  return fd;
}

void run_udp_sink(Role role, std::span<const int> sockets, SinkCounters& counters) {
  if (role == Role::udp_echo) echo(sockets);
  discard(sockets, counters);
}

}  // namespace gost::load
