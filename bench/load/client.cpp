#include "load/client.hpp"

#include "core/bytes.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace gost::load {
namespace {

using namespace std::chrono_literals;

// A source address has about 28 000 ephemeral ports, some of which rest in TIME_WAIT.
constexpr std::uint32_t tunnels_per_source = 8'000;
constexpr auto expiry_interval = 100ms;
constexpr std::size_t socks5_shortest_reply = 10;  // an IPv4 address; every other kind is at least as long

TimePoint clock_now() {
  return std::chrono::steady_clock::now();
}

using Message = MessageBuffer<600>;

Message greeting(const Options& options) {
  Message message;
  message.u8(5).u8(1).u8(options.user.empty() ? 0 : 2);
  return message;
}

Message credentials(const Options& options) {
  Message message;
  message.u8(1).u8(static_cast<std::uint8_t>(options.user.size())).bytes(as_bytes(options.user));
  message.u8(static_cast<std::uint8_t>(options.password.size())).bytes(as_bytes(options.password));
  return message;
}

Bytes ip_of(const sockaddr_in& address) {
  return {reinterpret_cast<const std::uint8_t*>(&address.sin_addr), sizeof address.sin_addr};
}

Message tunnel_request(const Options& options, const sockaddr_in& target) {
  Message message;
  const auto port = ntohs(target.sin_port);
  if (options.protocol == Protocol::socks4) {
    message.u8(4).u8(1).u16_be(port).bytes(ip_of(target)).bytes(as_bytes(options.user)).u8(0);
  } else if (is_udp(options.mode)) {
    message.u8(5).u8(3).u8(0).u8(1).bytes(ip_of({})).u16_be(0);  // from where the datagrams come is not known yet
  } else {
    message.u8(5).u8(1).u8(0).u8(1).bytes(ip_of(target)).u16_be(port);
  }
  return message;
}

/// The whole length of a SOCKS5 reply whose first bytes are known; 0 if it is none.
std::size_t reply_length(const Tunnel& tunnel) {
  switch (tunnel.reply[3]) {
  case 1: return 10;
  case 3: return 7U + tunnel.reply[4];
  case 4: return 22;
  default: return 0;
  }
}

std::string_view name(Tunnel::Phase phase) {
  switch (phase) {
  case Tunnel::Phase::closed: return "closed";
  case Tunnel::Phase::connecting: return "connect";
  case Tunnel::Phase::method: return "method selection";
  case Tunnel::Phase::auth: return "authentication";
  case Tunnel::Phase::request: return "request";
  case Tunnel::Phase::open: return "open tunnel";
  }
  return "";
}

}  // namespace

Client::Client(const Options& options, const std::vector<sockaddr_in>& targets, std::uint32_t expected)
    : options_(options), targets_(targets), epoll_(epoll_create1(EPOLL_CLOEXEC)), now_(clock_now()) {
  const bool loopback =
      options.protocol == Protocol::direct || (options.proxy.ip().is_v4() && options.proxy.ip().is_loopback());
  if (loopback) sources_ = std::min(expected / tunnels_per_source + 1, 200U);
}

Client::~Client() {
  ::close(epoll_);
}

const sockaddr_in& Client::target(const Tunnel& tunnel) const {
  return targets_[(tunnel.index + tunnel.generation) % targets_.size()];
}

MessageBuffer<10> Client::header(const Tunnel& tunnel) const {
  MessageBuffer<10> message;
  if (options_.protocol != Protocol::socks5) return message;
  const auto& address = target(tunnel);
  message.u16_be(0).u8(0).u8(1).bytes(ip_of(address)).u16_be(ntohs(address.sin_port));
  return message;
}

Result<int> Client::connect_socket(const Tunnel& tunnel) {
  sockaddr_storage proxy{};
  socklen_t length = sizeof(sockaddr_in);
  if (options_.protocol == Protocol::direct) {
    reinterpret_cast<sockaddr_in&>(proxy) = target(tunnel);
  } else {
    length = options_.proxy.to_native(proxy);
  }
  const bool udp = is_udp(options_.mode) && options_.protocol != Protocol::socks5;
  const int fd = socket(proxy.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::system(errno, "socket"));
  const int on = 1;
  if (!udp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (sources_ > 1) {
    // Without a port: connect() chooses it and looks at the whole address pair, so ports can be used again.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(127U << 24 | 2U << 8 | (static_cast<std::uint32_t>(started_ % sources_) + 1));
    if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0) {
      const int error = errno;
      ::close(fd);
      return fail(Error::system(error, "bind"));
    }
  }
  if (connect(fd, reinterpret_cast<sockaddr*>(&proxy), length) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    return fail(Error::system(error, "connect"));
  }
  return fd;
}

/// A UDP socket at the address from which `tunnel` has asked for a relay, connected to that relay.
Result<int> Client::connect_to_relay(const Tunnel& tunnel) const {
  if (tunnel.reply[3] != 1) return fail(Cause::address_type, "the relay has no IPv4 address");
  sockaddr_in relay{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  std::memcpy(&relay.sin_addr, &tunnel.reply[4], sizeof relay.sin_addr);
  std::memcpy(&relay.sin_port, &tunnel.reply[8], sizeof relay.sin_port);
  sockaddr_in source{};
  socklen_t length = sizeof source;
  getsockname(tunnel.fd, reinterpret_cast<sockaddr*>(&source), &length);
  source.sin_port = 0;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::system(errno, "socket"));
  if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0 ||
      connect(fd, reinterpret_cast<sockaddr*>(&relay), sizeof relay) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(Error::system(error, "connecting to the relay"));
  }
  return fd;
}

/// Asks for the tunnel's edges. If that fails the tunnel has failed.
bool Client::watch(Tunnel& tunnel) const {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u64 = std::uint64_t{tunnel.generation} << 32 | tunnel.index}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, tunnel.fd, &event) == 0;
}

void Client::start(Tunnel& tunnel) {
  ++started_;
  ++tunnel.generation;
  tunnel.have = 0;
  tunnel.sent = tunnel.received = 0;
  tunnel.waiting_since = now_;
  tunnel.phase = Tunnel::Phase::connecting;
  const auto fd = connect_socket(tunnel);
  if (!fd) return fail_tunnel(tunnel, fd.error().text);
  tunnel.fd = *fd;
  if (!watch(tunnel)) fail_tunnel(tunnel, Error::system(errno, "epoll_ctl").text);
}

void Client::watch_level(Tunnel& tunnel, std::uint32_t events) const {
  epoll_event event{.events = events, .data = {.u64 = std::uint64_t{tunnel.generation} << 32 | tunnel.index}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, tunnel.fd, &event);
}

void Client::close(Tunnel& tunnel, bool reset) {
  if (tunnel.fd >= 0) {
    if (reset) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      setsockopt(tunnel.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(tunnel.fd);
  }
  if (tunnel.control >= 0) ::close(tunnel.control);
  tunnel.fd = tunnel.control = -1;
  tunnel.phase = Tunnel::Phase::closed;
  tunnel.waiting_since = {};
}

void Client::fail_tunnel(Tunnel& tunnel, std::string why) {
  ++errors_[std::string(name(tunnel.phase)) + ": " + std::move(why)];
  close(tunnel, true);
  failed_.push_back(&tunnel);
}

void Client::poll(TunnelUser& user, std::span<Tunnel> tunnels, TimePoint until) {
  std::array<epoll_event, 512> events{};
  now_ = clock_now();
  const auto limit = std::min(until, now_ + expiry_interval);
  const auto wait = std::max<Duration>(limit - now_, Duration{});
  const auto milliseconds = failed_.empty() ? std::chrono::ceil<std::chrono::milliseconds>(wait).count() : 0;
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(milliseconds));
  now_ = clock_now();
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    auto& tunnel = tunnels[static_cast<std::uint32_t>(event.data.u64)];
    const bool current = tunnel.fd >= 0 && tunnel.generation == event.data.u64 >> 32;
    if (current) dispatch(user, tunnel, event.events);
  }
  if (now_ >= next_expiry_) {
    expire(tunnels);
    next_expiry_ = now_ + expiry_interval;
  }
  for (auto* tunnel : std::exchange(failed_, {})) user.on_failed(*tunnel);
}

void Client::dispatch(TunnelUser& user, Tunnel& tunnel, std::uint32_t events) {
  if (tunnel.phase == Tunnel::Phase::open) return user.on_events(tunnel, events);
  if (tunnel.phase == Tunnel::Phase::connecting) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(tunnel.fd, SOL_SOCKET, SO_ERROR, &error, &length);
      return fail_tunnel(tunnel, system_text(error));
    }
    if ((events & EPOLLOUT) == 0) return;
    switch (options_.protocol) {
    case Protocol::socks5: return say(tunnel, Tunnel::Phase::method);
    case Protocol::socks4: return say(tunnel, Tunnel::Phase::request);
    case Protocol::forward:
    case Protocol::direct: return opened(user, tunnel);
    }
  }
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) advance(user, tunnel);
}

/// Sends the message that is answered in phase `next`.
void Client::say(Tunnel& tunnel, Tunnel::Phase next) {
  const auto message = next == Tunnel::Phase::method ? greeting(options_)
                       : next == Tunnel::Phase::auth ? credentials(options_)
                                                     : tunnel_request(options_, target(tunnel));
  tunnel.have = 0;
  tunnel.phase = next;
  const auto view = message.view();
  const auto sent = send(tunnel.fd, view.data(), view.size(), MSG_NOSIGNAL);
  // A fresh socket takes a message of some hundred bytes whole.
  if (std::cmp_not_equal(sent, view.size()))
    fail_tunnel(tunnel, Error::system(sent < 0 ? errno : EAGAIN, "send").text);
}

/// True when `needed` bytes of the reply are there; reads not one more, since the tunnel's bytes may follow.
bool Client::receive(Tunnel& tunnel, std::size_t needed) {
  while (tunnel.have < needed) {
    const auto count = recv(tunnel.fd, tunnel.reply.data() + tunnel.have, needed - tunnel.have, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) {
      fail_tunnel(tunnel, count == 0 ? "the server closed the connection" : system_text(errno));
      return false;
    }
    tunnel.have = static_cast<std::uint16_t>(tunnel.have + count);
  }
  return true;
}

void Client::advance(TunnelUser& user, Tunnel& tunnel) {
  const auto& reply = tunnel.reply;
  if (tunnel.phase == Tunnel::Phase::method) {
    if (!receive(tunnel, 2)) return;
    if (reply[0] != 5 || reply[1] != (options_.user.empty() ? 0 : 2)) return fail_tunnel(tunnel, "not selected");
    return say(tunnel, options_.user.empty() ? Tunnel::Phase::request : Tunnel::Phase::auth);
  }
  if (tunnel.phase == Tunnel::Phase::auth) {
    if (!receive(tunnel, 2)) return;
    if (reply[1] != 0) return fail_tunnel(tunnel, "refused");
    return say(tunnel, Tunnel::Phase::request);
  }
  const bool socks4 = options_.protocol == Protocol::socks4;
  if (!receive(tunnel, socks4 ? 8 : socks5_shortest_reply)) return;
  if (reply[1] != (socks4 ? 90 : 0)) return fail_tunnel(tunnel, "reply " + std::to_string(reply[1]));
  if (!socks4) {
    const auto length = reply_length(tunnel);
    if (length == 0) return fail_tunnel(tunnel, "malformed reply");
    if (!receive(tunnel, length)) return;
  }
  opened(user, tunnel);
}

void Client::opened(TunnelUser& user, Tunnel& tunnel) {
  if (is_udp(options_.mode) && options_.protocol == Protocol::socks5) {
    const auto relay = connect_to_relay(tunnel);
    if (!relay) return fail_tunnel(tunnel, relay.error().text);
    // Nothing is said on the connection any more. If the server ends it, answers stay away.
    epoll_ctl(epoll_, EPOLL_CTL_DEL, tunnel.fd, nullptr);
    tunnel.control = std::exchange(tunnel.fd, *relay);
    if (!watch(tunnel)) return fail_tunnel(tunnel, Error::system(errno, "epoll_ctl").text);
  }
  tunnel.phase = Tunnel::Phase::open;
  user.on_open(tunnel);
}

void Client::expire(std::span<Tunnel> tunnels) {
  for (auto& tunnel : tunnels) {
    if (tunnel.waiting_since != TimePoint{} && tunnel.waiting_since + options_.patience < now_) {
      fail_tunnel(tunnel, "timed out");
    }
  }
}

}  // namespace gost::load
