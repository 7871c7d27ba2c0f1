// Names to addresses: hosts file and name servers of the system, both families, on the loop.
#pragma once

#include "net/ares_channel.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

/// One per loop. Made and destroyed on the thread that makes the loops. Lookups that nobody waits for any more finish
/// in the background and are forgotten. A change of /etc/resolv.conf is noticed within seconds.
class Resolver {
 public:
  explicit Resolver(Loop& loop, ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses of `host` in one family, in the order of the answer; at least one. "localhost" never asks a name
  /// server (RFC 6761 §6.3). Errors: Cause::host_unreachable, "lookup NAME: no such host".
  Task<Result<std::vector<IpAddress>>> lookup(std::string host, Family family);

  /// Ends what is under way. Must be awaited on the loop before the resolver is destroyed, if it was ever used.
  Task<> close();

 private:
  /// By what a change of the system's configuration is recognised.
  struct Signature {
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Signature&, const Signature&) = default;
  };
  static std::optional<Signature> look_at_system();
  /// The channel to ask, a new one if the old one cannot be used or the system's configuration has changed.
  AresChannel& current_channel();
  Task<> retire(std::unique_ptr<AresChannel> channel);

  Loop& loop_;
  ResolverOptions options_;
  std::optional<Signature> seen_;
  TimePoint look_again_{};
  std::unique_ptr<AresChannel> channel_;
  TaskGroup retired_;
};

}  // namespace gost
