#include "load/sink.hpp"

#include "load/udp_sink.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

namespace gost::load {
namespace {

constexpr std::size_t chunk = std::size_t{256} * 1024;
constexpr int backlog = 4096;

struct Connection {
  bool listener = false;
  std::vector<std::uint8_t> pending;  ///< echo: what the socket did not take yet
};

/// The child's event loop.
class SinkLoop {
 public:
  SinkLoop(Role role, SinkCounters& counters) : role_(role), counters_(counters), buffer_(chunk) {}

  void add_listener(int fd) {
    at(fd).listener = true;
    watch(fd, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events{};
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) std::_Exit(1);
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (at(event.data.fd).listener) {
          accept_all(event.data.fd);
        } else {
          handle(event.data.fd, event.events);
        }
      }
    }
  }

 private:
  Connection& at(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= connections_.size()) connections_.resize(index * 2 + 16);
    return connections_[index];
  }

  void watch(int fd, std::uint32_t what) const {
    epoll_event event{.events = what, .data = {.fd = fd}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) std::_Exit(1);
  }

  void accept_all(int listener) {
    while (true) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      at(fd) = Connection{};
      counters_.accepted.fetch_add(1, std::memory_order_relaxed);
      counters_.open.fetch_add(1, std::memory_order_relaxed);
      // An echo rests most of the time and is woken by edges; a bulk stream always has something to do.
      const bool sends = role_ == Role::source || role_ == Role::duplex;
      const std::uint32_t bulk = sends ? EPOLLIN | EPOLLOUT : EPOLLIN;
      watch(fd, role_ == Role::echo ? EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET : bulk);
    }
  }

  void finish(int fd) {
    close(fd);
    at(fd) = Connection{};
    counters_.open.fetch_sub(1, std::memory_order_relaxed);
  }

  void handle(int fd, std::uint32_t events) {
    if (role_ == Role::echo) return echo(fd, events);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !swallow(fd)) return finish(fd);
    if ((events & EPOLLOUT) != 0) {
      const auto sent = send(fd, buffer_.data(), buffer_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) finish(fd);
    }
  }

  /// False at the end of the stream.
  bool swallow(int fd) {
    // MSG_TRUNC throws the bytes away inside the kernel: no copy, so the sink stays cheaper than any proxy.
    const auto count = recv(fd, nullptr, std::size_t{1} << 22, MSG_TRUNC);
    if (count > 0) counters_.received.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
    return count > 0 || (count < 0 && errno == EAGAIN);
  }

  void echo(int fd, std::uint32_t events) {
    auto& pending = at(fd).pending;
    if (!pending.empty()) {
      const auto sent = send_some(fd, pending.data(), pending.size());
      if (!sent) return finish(fd);
      pending.erase(pending.begin(), pending.begin() + *sent);
    }
    while (pending.empty()) {
      const auto count = recv(fd, buffer_.data(), buffer_.size(), 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return finish(fd);
      counters_.received.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
      const auto sent = send_some(fd, buffer_.data(), static_cast<std::size_t>(count));
      if (!sent) return finish(fd);
      pending.assign(buffer_.data() + *sent, buffer_.data() + count);
      // A short read has emptied the socket: the next byte makes a new edge. Only an end that is known is read now.
      const bool short_read = static_cast<std::size_t>(count) < buffer_.size();
      if (short_read && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    }
  }

  /// How many bytes the socket took, which may be none; nothing if the connection is broken.
  static std::optional<ssize_t> send_some(int fd, const std::uint8_t* data, std::size_t size) {
    const auto sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return std::nullopt;
    return sent < 0 ? 0 : sent;
  }

  Role role_;
  SinkCounters& counters_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections_;
  std::vector<std::uint8_t> buffer_;
};

Result<int> listen_on(sockaddr_in& address, std::uint64_t rate) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::system(errno, "sink: socket"));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  if (rate != 0) setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, length) != 0 || listen(fd, backlog) != 0 || getsockname(fd, generic, &length) != 0) {
    const int error = errno;
    close(fd);
    return fail(Error::system(error, "sink: listen"));
  }
  return fd;
}

}  // namespace

Result<Sink> Sink::start(Role role, unsigned addresses, std::uint16_t port, std::uint64_t rate) {
  Sink sink;
  std::vector<int> listeners;
  for (unsigned i = 0; i < (port != 0 ? 1 : addresses); ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(port != 0 ? INADDR_LOOPBACK : (127U << 24 | 1U << 8 | (i + 1)));
    const auto fd = is_udp(role) ? receive_on(address) : listen_on(address, rate);
    if (!fd) return fail(fd.error());
    listeners.push_back(*fd);
    sink.targets_.push_back(address);
  }
  void* shared = mmap(nullptr, sizeof(SinkCounters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return fail(Error::system(errno, "sink: mmap"));
  sink.counters_ = new (shared) SinkCounters;

  const pid_t parent = getpid();
  sink.pid_ = fork();
  if (sink.pid_ < 0) return fail(Error::system(errno, "sink: fork"));
  if (sink.pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) std::_Exit(1);  // it ended before the line above
    if (is_udp(role)) run_udp_sink(role, listeners, *sink.counters_);
    SinkLoop loop(role, *sink.counters_);
    for (const int fd : listeners) loop.add_listener(fd);
    loop.run();
  }
  for (const int fd : listeners) close(fd);
  return sink;
}

Sink::Sink(Sink&& other) noexcept
    : targets_(std::move(other.targets_)),
      counters_(std::exchange(other.counters_, nullptr)),
      pid_(std::exchange(other.pid_, -1)) {}

Sink::~Sink() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (counters_ != nullptr) munmap(counters_, sizeof(SinkCounters));
}

}  // namespace gost::load
