#include "app/server.hpp"

#include "app/notify.hpp"
#include "core/text.hpp"
#include "runtime/run_on.hpp"

#include <cstdlib>

namespace gost {

namespace {

/// So long the sessions that dialers keep may deliver what ended tunnels have left.
constexpr Duration kPatience = std::chrono::seconds(2);

/// One loop for each processor, or as many as GOMAXPROCS says, as with GOST.
std::size_t loop_count() {
  if (const char* text = std::getenv("GOMAXPROCS")) {
    if (auto count = parse_int(text); count && *count > 0 && *count <= 1024) return static_cast<std::size_t>(*count);
  }
  return available_processors();
}

}  // namespace

Server::Server(Built built, Logger log, Duration drain)
    : log_(std::move(log)),
      drain_(drain),
      signals_({SIGTERM, SIGINT, SIGHUP}),
      workers_(loop_count()),
      files_(std::move(built.files)),
      resolvers_(std::move(built.resolvers)) {
  std::signal(SIGPIPE, SIG_IGN);  // splice(2) to a closed socket raises it
  for (ServiceParts& parts : built.services)
    services_.push_back(std::make_unique<Service>(std::move(parts), log_, sids_));
}

Result<> Server::bind() {
  if (auto started = signals_.start(workers_[0].loop); !started) return started;
  for (auto& service : services_) {
    if (auto bound = service->bind(workers_); !bound)
      return fail(bound.error().in("service '" + service->name() + "'"));
  }
  return {};
}

void Server::run() {
  workers_.start();
  workers_[0].loop.run(serve());
}

Task<> Server::serve() {
  TaskGroup background(co_await this_scope());
  for (auto& service : services_) co_await service->start();
  for (WatchedFile& file : files_)
    if (file.period > Duration::zero()) background.spawn(watch(file));
  notify_manager("READY=1");
  co_await wait_for_the_end();
  background.stop();
  co_await background.join();
  TaskGroup closing(co_await this_scope());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    closing.spawn([](Server& server, IoContext& io) -> Task<> { co_await run_on(io.loop, server.close(io)); }(
                                                        *this, workers_[i]));
  }
  co_await closing.join();
}

Task<> Server::wait_for_the_end() {
  int signal = 0;
  while (signal != SIGTERM && signal != SIGINT) {
    auto received = co_await signals_.next();
    if (!received) break;
    signal = *received;
    if (signal != SIGHUP) continue;
    log_.warn(
        "SIGHUP: the files of users, bypasses, hosts and certificates are read again; anything else in the "
        "configuration takes effect "
        "at the next start");
    for (WatchedFile& file : files_) reload(file);
  }
  at_once_ = signal != SIGTERM || drain_ == Duration::zero();
  notify_manager("STOPPING=1");
  log_.info(at_once_ ? "stopping" : "stopping: tunnels may go on for " + to_string(drain_));

  Scope signal_wait(co_await this_scope());
  TaskGroup stopping(co_await this_scope());
  stopping.spawn(stop_services(at_once_ ? Duration::zero() : drain_, signal_wait));
  co_await in_scope(signal_wait, hurry_at_next_signal());
  co_await stopping.join();
}

Task<> Server::stop_services(Duration drain, Scope& signal_wait) {
  for (auto& service : services_) co_await service->stop_accepting();
  TaskGroup finishing(co_await this_scope());
  for (auto& service : services_) finishing.spawn(service->finish(drain));
  co_await finishing.join();
  signal_wait.stop(Outcome::canceled);
}

Task<> Server::hurry_at_next_signal() {
  for (;;) {
    auto received = co_await signals_.next();
    if (!received) co_return;
    if (*received == SIGHUP) continue;
    log_.info("stopping at once");
    at_once_ = true;
    for (auto& service : services_) co_await service->hurry();
  }
}

Task<> Server::close(IoContext& io) {
  co_await io.end_background(at_once_ ? Duration::zero() : kPatience);
  for (auto& resolver : resolvers_) co_await resolver->close(io);
  co_await io.resolver.close();
}

Task<> Server::watch(WatchedFile& file) {
  while (co_await sleep_for(file.period) == Outcome::ready) reload(file);
}

void Server::reload(WatchedFile& watched) {
  std::string what = watched.kind == "auther" ? "users" : watched.kind;
  auto reloaded = watched.file->reload();
  if (!reloaded) {
    log_.error(reloaded.error().text + "; the old " + what + " stay",
               {{"kind", watched.kind}, {watched.kind, watched.name}});
  } else if (*reloaded) {
    log_.info(what + " reloaded from " + watched.file->path(),
              {{"kind", watched.kind}, {watched.kind, watched.name}});
  }
}

}  // namespace gost
