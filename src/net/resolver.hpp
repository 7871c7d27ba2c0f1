// Names to addresses, on c-ares: hosts file and name servers of the system, both families, on the loop.
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "runtime/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost {

class Loop;

enum class Family : std::uint8_t { v4, v6 };

struct ResolverOptions {
  std::string servers;                         ///< c-ares' form "127.0.0.1:5353,…"; empty: the system's
  Duration timeout = std::chrono::seconds(5);  ///< for one query to one server
  int tries = 2;
};

/// One per loop. Lookups that nobody waits for any more finish in the background and are forgotten.
class Resolver {
 public:
  explicit Resolver(Loop& loop, ResolverOptions options = {});
  ~Resolver();

  /// The addresses of `host` in one family, in the order of the answer; at least one. "localhost" never asks a name
  /// server (RFC 6761 §6.3). Errors: Cause::host_unreachable, "lookup NAME: no such host".
  Task<Result<std::vector<IpAddress>>> lookup(std::string host, Family family);

  /// Ends what is under way. Must be awaited on the loop before the resolver is destroyed, if it was ever used.
  Task<> close();

 private:
  class Channel;
  Loop& loop_;
  ResolverOptions options_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace gost
