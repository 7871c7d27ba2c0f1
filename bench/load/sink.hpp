// The far end of every tunnel: a child process that echoes, sends or swallows bytes, or datagrams.
#pragma once

#include "core/error.hpp"

#include <netinet/in.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace gost::load {

enum class Role : std::uint8_t {
  echo,
  source,   ///< sends until the peer leaves
  discard,  ///< swallows until the peer ends its stream
  duplex,   ///< sends and swallows
  udp_echo,
  udp_discard,
};

/// Counters that the child keeps in memory shared with the parent.
struct SinkCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> received{0};   ///< bytes
  std::atomic<std::uint64_t> datagrams{0};  ///< of the two roles for UDP, which accept nothing
};

/// Owns the child: the destructor ends and reaps it. The child also ends with its parent.
class Sink {
 public:
  /// Listens on `addresses` addresses 127.0.1.1, 127.0.1.2, … (one address, 127.0.0.1, with a fixed `port`), so that
  /// a proxy has that many times its range of ephemeral ports, and starts the child. A `rate` other than 0 limits the
  /// bytes a second that each connection sends.
  static Result<Sink> start(Role role, unsigned addresses, std::uint16_t port, std::uint64_t rate);

  Sink(Sink&& other) noexcept;
  Sink& operator=(Sink&&) = delete;
  ~Sink();

  const std::vector<sockaddr_in>& targets() const { return targets_; }
  const SinkCounters& counters() const { return *counters_; }
  pid_t pid() const { return pid_; }

 private:
  Sink() = default;

  std::vector<sockaddr_in> targets_;
  SinkCounters* counters_ = nullptr;
  pid_t pid_ = -1;
};

}  // namespace gost::load
