// The running program: binds and starts all services, obeys signals, stops in two phases.
#pragma once

#include "net/workers.hpp"
#include "observe/log.hpp"
#include "runtime/signals.hpp"
#include "runtime/task_group.hpp"
#include "service/build.hpp"

#include <memory>
#include <vector>

namespace gost {

class Server {
 public:
  /// `drain`: how long SIGTERM lets tunnels go on.
  Server(Built built, Logger log, Duration drain);

  /// Takes the addresses of all services; the first that cannot be taken is the error.
  Result<> bind();
  /// Serves until a signal ends it. Call it once, after bind().
  void run();

 private:
  Task<> serve();
  Task<> wait_for_the_end();
  Task<> stop_services(Duration drain, Scope& signal_wait);
  Task<> hurry_at_next_signal();
  Task<> watch(WatchedFile& file);
  void reload(WatchedFile& file);
  /// Ends what a loop has for all services.
  Task<> close(IoContext& io);

  Logger log_;
  Duration drain_;
  bool at_once_ = false;  ///< nothing is waited for at the end
  Signals signals_;
  SidSource sids_;
  Workers workers_;
  std::vector<WatchedFile> files_;
  std::vector<std::shared_ptr<const NameServers>> resolvers_;
  std::vector<std::unique_ptr<Service>> services_;
};

}  // namespace gost
