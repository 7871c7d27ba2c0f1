// Service: a listener, a handler and what belongs to both, spread over the loops.
#pragma once

#include "component/listener.hpp"
#include "component/session.hpp"
#include "net/workers.hpp"
#include "observe/connection_record.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace gost {

struct ServiceParts {
  std::string name;
  std::string listener_type;
  std::string handler_type;
  std::unique_ptr<Listener> listener;
  std::shared_ptr<const Handler> handler;
  std::size_t max_handshakes = 1024;  ///< clients that have not identified themselves, at once
};

/// Life: bind(), then from a coroutine on the first loop start(), stop_accepting(), finish(). Destroyed after that.
class Service {
 public:
  Service(ServiceParts parts, const Logger& log, SidSource& sids);
  ~Service();

  const std::string& name() const { return parts_.name; }

  /// Takes the address and logs it; nothing is accepted yet.
  Result<> bind(Workers& workers);
  /// Accepts on every loop.
  Task<> start();
  /// Accepts no more and gives the address back. What was accepted goes on.
  Task<> stop_accepting();
  /// Waits up to `drain` for the sessions to end, then ends them.
  Task<> finish(Duration drain);
  /// Cuts a finish() short. Returns when every loop has been told, so the service must outlive it.
  Task<> hurry();

 private:
  class Shard;

  /// True if it is time to tell (again) that nothing can be accepted. Any thread.
  bool may_warn(TimePoint now);

  ServiceParts parts_;
  Logger log_;
  std::atomic<TimePoint::rep> quiet_until_{TimePoint::min().time_since_epoch().count()};
  ConnectionLoggers loggers_;
  SidSource& sids_;
  std::shared_ptr<HandshakeGate> gate_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace gost
