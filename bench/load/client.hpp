// The near end: tunnels through the proxy under measurement, all on one epoll loop.
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "load/options.hpp"
#include "load/sink.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gost::load {

/// One tunnel of a run. The first group belongs to Client, the second to the mode.
struct Tunnel {
  enum class Phase : std::uint8_t { closed, connecting, method, auth, request, open };

  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< how often it was opened: tells an event of an earlier socket from this one's
  int fd = -1;                   ///< where its bytes or datagrams go: a connected socket in either case
  int control = -1;              ///< the connection that asked for a UDP relay, which lives as long as it does
  Phase phase = Phase::closed;
  std::uint16_t have = 0;  ///< bytes of the reply that have arrived
  std::array<std::uint8_t, 263> reply{};
  TimePoint waiting_since{};  ///< for what it waits now, a handshake or an answer; zero when it rests

  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

/// What a mode does with its tunnels.
class TunnelUser {
 public:
  virtual ~TunnelUser() = default;
  /// The proxy said yes (or there is nothing to say): bytes flow. `waiting_since` is when opening began.
  virtual void on_open(Tunnel& tunnel) = 0;
  /// epoll reported `events` for an open tunnel.
  virtual void on_events(Tunnel& tunnel, std::uint32_t events) = 0;
  /// The tunnel could not be opened, broke, or took too long. It is closed and counted already.
  virtual void on_failed(Tunnel& tunnel) = 0;
};

class Client {
 public:
  /// Tunnels go in turn to the sink's targets; `expected` of them in all decide how many source addresses are used.
  Client(const Options& options, const std::vector<sockaddr_in>& targets, std::uint32_t expected);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Begins to open `tunnel` (which is closed). Every tunnel that is started ends in on_open or on_failed, never
  /// before this function has returned.
  void start(Tunnel& tunnel);
  /// Closes an open tunnel; with `reset` at once, throwing away what is under way.
  void close(Tunnel& tunnel, bool reset = false);
  /// Closes it as failed: counts `why` and tells the user.
  void fail_tunnel(Tunnel& tunnel, std::string why);
  /// Replaces the edge-triggered events that an open tunnel has by level-triggered ones.
  void watch_level(Tunnel& tunnel, std::uint32_t events) const;

  /// Waits at most until `until`, dispatches what happened and fails tunnels that have waited too long.
  void poll(TunnelUser& user, std::span<Tunnel> tunnels, TimePoint until);

  /// What stands in front of each datagram of `tunnel`, in both directions (RFC 1928 section 7); nothing without
  /// SOCKS5.
  MessageBuffer<10> header(const Tunnel& tunnel) const;

  /// The time at which the events being handled were reported.
  TimePoint now() const { return now_; }
  const std::map<std::string, std::uint64_t>& errors() const { return errors_; }

 private:
  void dispatch(TunnelUser& user, Tunnel& tunnel, std::uint32_t events);
  void advance(TunnelUser& user, Tunnel& tunnel);
  void say(Tunnel& tunnel, Tunnel::Phase next);
  void opened(TunnelUser& user, Tunnel& tunnel);
  bool receive(Tunnel& tunnel, std::size_t needed);
  void expire(std::span<Tunnel> tunnels);
  Result<int> connect_socket(const Tunnel& tunnel);
  Result<int> connect_to_relay(const Tunnel& tunnel) const;
  bool watch(Tunnel& tunnel) const;
  const sockaddr_in& target(const Tunnel& tunnel) const;

  const Options& options_;
  const std::vector<sockaddr_in>& targets_;
  std::uint32_t sources_ = 1;
  int epoll_ = -1;
  std::uint64_t started_ = 0;
  TimePoint now_{};
  TimePoint next_expiry_{};
  std::map<std::string, std::uint64_t> errors_;
  std::vector<Tunnel*> failed_;  ///< to be told to the user, not from within start() or the user's own calls
};

}  // namespace gost::load
