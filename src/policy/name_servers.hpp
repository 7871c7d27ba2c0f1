// NameServers: a resolver object of the configuration (config.md §3.4, §4.6): name servers asked one after the other,
// with a cache on every loop.
#pragma once

#include "policy/dns_cache.hpp"
#include "policy/name_server.hpp"
#include "runtime/per_loop.hpp"
#include "runtime/task_group.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

struct NameServersOptions {
  std::string name;  ///< of the resolver, for messages
  std::vector<NameServerOptions> servers;
  std::size_t cache_size = 4096;   ///< answers per loop
  std::size_t max_pending = 4096;  ///< questions under way per loop
};

/// Immutable and shared by all loops; each loop has a cache and questions under way of its own. Nobody who waits
/// keeps another one waiting: equal questions are asked once, by the first who needs the answer; if it is stopped,
/// the next one asks.
class NameServers {
 public:
  explicit NameServers(NameServersOptions options) : options_(std::move(options)) {}

  /// The addresses of `host`: of the first server that knows any, in the family that it prefers. "localhost" is the
  /// loopback address and is never asked for (RFC 6761 §6.3). Errors: Cause::host_unreachable, "resolver: domain NAME
  /// does not exist"; what the last server failed with if some failed and none knew an address.
  Task<Result<std::vector<IpAddress>>> lookup(IoContext& io, std::string host) const;

  /// Ends the renewals that are under way on the loop of `io`. To be awaited there before the loop goes, when nobody
  /// looks anything up any more.
  Task<> close(IoContext& io) const;

  const std::string& name() const { return options_.name; }

 private:
  using Addresses = std::vector<IpAddress>;
  class Pending;
  class UntilFinished;
  struct State {
    explicit State(std::size_t cache_size) : cache(cache_size) {}
    DnsCache cache;
    std::map<std::string, std::shared_ptr<Pending>, std::less<>> pending;
    std::optional<TaskGroup> renewals;  ///< made when there is a first one
  };
  /// One server's answer about one name in one family.
  struct Question {
    std::size_t server;
    std::string host;
    Family family;
    /// Equal for equal questions.
    std::string key() const;
  };

  State& state_of(IoContext& io) const { return states_.get(io.loop, options_.cache_size); }
  Task<Result<Addresses>> ask_server(IoContext& io, std::size_t server, std::string host) const;
  Task<Result<Addresses>> answer(IoContext& io, Question question) const;
  Task<Result<Addresses>> ask_once(IoContext& io, Question question) const;
  Task<Result<Addresses>> ask_and_store(IoContext& io, Question question) const;
  void start_renewal(IoContext& io, const Question& question) const;
  Task<> renew(IoContext& io, Question question) const;

  NameServersOptions options_;
  PerLoop<State> states_;
};

}  // namespace gost
