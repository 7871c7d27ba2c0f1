#include "service/service.hpp"

#include "runtime/run_on.hpp"
#include "runtime/task_group.hpp"
#include "tls/stream.hpp"

#include <chrono>

namespace gost {

namespace {

/// A shortage that lasts is said again only this often: every loop meets it ten times a second.
constexpr Duration kWarnAgain = std::chrono::minutes(1);

}  // namespace

/// The part of a service that lives on one loop.
class Service::Shard final : public StreamSink, private Timer {
 public:
  Shard(Service& service, IoContext& io, std::size_t seat)
      : Timer([](Timer& timer) { static_cast<Shard&>(timer).hurry(); }), service_(service), io_(io), seat_(seat) {}

  IoContext& io() { return io_; }

  Task<> open() {
    accepting_.emplace(io_.loop.root());
    sessions_.emplace(io_.loop.root());
    co_return;
  }

  Task<> accept() {
    accepting_->spawn(service_.parts_.listener->accept(seat_));
    co_return;
  }

  Task<> stop_accepting() {
    accepting_->stop();
    co_await accepting_->join();
    accepting_.reset();
  }

  Task<> finish(Duration drain) {
    if (drain > Duration::zero()) {
      io_.loop.arm(*this, drain);
    } else {
      sessions_->stop();
    }
    co_await sessions_->join();
    io_.loop.disarm(*this);
    sessions_.reset();
  }

  void hurry() {
    if (sessions_) sessions_->stop();
  }

  void deliver(std::unique_ptr<Stream> stream) override {
    if (sessions_) sessions_->spawn(serve(std::move(stream)));
  }

  void deliver(std::unique_ptr<Datagram> datagrams, SocketAddress peer, SocketAddress local) override {
    if (sessions_) sessions_->spawn(serve_datagrams(std::move(datagrams), peer, local));
  }

  void carry(Task<> carrier) override {
    if (sessions_) sessions_->spawn(std::move(carrier));
  }

  void enter_handshake(HandshakeGate::Slot& slot, Scope& scope) override {
    service_.gate_->enter(slot, seat_, scope);
  }

  void accept_failed(const Error& error, Duration retry_in) override {
    if (!service_.may_warn(io_.loop.now())) return;
    service_.log_.warn("accept: " + error.text +
                       (retry_in > Duration::zero() ? ", retrying every " + to_string(retry_in) : std::string()));
  }

  void warn(const SocketAddress& client, const std::string& text) override {
    service_.log_.warn(client.to_string() + ": " + text);
  }

 private:
  Task<> serve(std::unique_ptr<Stream> stream) {
    Scope scope(co_await this_scope());
    SocketAddress remote = stream->remote();
    SocketAddress local = stream->local();
    Session session(io_, std::move(stream),
                    ConnectionRecord(service_.loggers_, "tcp", remote, local,
                                     service_.sids_.next(std::chrono::system_clock::now()), io_.loop.now()));
    enter_handshake(session.handshake, scope);
    co_await in_scope(scope, serve(session));
    io_.memory.connection_ended(static_cast<std::size_t>(io_.connections.load(std::memory_order_relaxed)));
  }

  Task<> serve_datagrams(std::unique_ptr<Datagram> datagrams, SocketAddress peer, SocketAddress local) {
    Session session(io_, nullptr,
                    ConnectionRecord(service_.loggers_, "udp", peer, local,
                                     service_.sids_.next(std::chrono::system_clock::now()), io_.loop.now()));
    session.datagram = std::move(datagrams);
    co_await serve(session);
    // They are no connections of the loop: what they weigh must not decide where new connections are placed.
    memory_.connection_ended(sessions_->running() - 1);
  }

  Task<> serve(Session& session) {
    session.record.accepted();
    const StreamUpgrade* upgrade = session.client ? service_.parts_.listener->upgrade() : nullptr;
    const Handler& handler = *service_.parts_.handler;
    auto result = co_await (upgrade == nullptr ? handler.handle(session) : handle_upgraded(*upgrade, session));
    if (!result) session.record.failed(reason(session, result.error()));
    session.record.finished(session.bytes.from_a, session.bytes.from_b, io_.loop.now());
  }

  GOST_OWN_FRAME Task<Result<>> handle_upgraded(const StreamUpgrade& upgrade, Session& session) {
    if (auto applied = co_await apply(upgrade, session); !applied) {
      session.record.handshake_failed(reason(session, applied.error()));
      co_return {};
    }
    co_return co_await service_.parts_.handler->handle(session);
  }

  GOST_OWN_FRAME Task<Result<>> apply(const StreamUpgrade& upgrade, Session& session) {
    auto upgraded = co_await upgrade.upgrade(io_, std::move(session.client));
    if (!upgraded) co_return fail(handshake_error(upgraded.error()));
    session.client = std::move(*upgraded);
    // WebSocket behind a trusted proxy: the client is whom the proxy names.
    if (SocketAddress client = session.client->remote(); client != session.record.remote())
      session.record.set_client(client);
    if (auto info = tls::tls_info(*session.client)) session.record.note(Level::debug, tls::to_string(*info));
    co_return {};
  }

  Error reason(const Session& session, const Error& error) const {
    if (!session.handshake.dropped()) return error;
    return {Cause::exhausted, "dropped: more than " + std::to_string(service_.parts_.max_handshakes) +
                                  " clients in the handshake at once (option maxHandshakes)"};
  }

  Service& service_;
  IoContext& io_;
  std::size_t seat_;
  MemoryTrim memory_;  ///< after a rush of datagram sessions
  // Made and destroyed on the loop, by open() and finish().
  std::optional<TaskGroup> accepting_;
  std::optional<TaskGroup> sessions_;
};

Service::Service(ServiceParts parts, const Logger& log, SidSource& sids)
    : parts_(std::move(parts)), loggers_(log, parts_.name, parts_.listener_type, parts_.handler_type), sids_(sids) {
  log_ = log.with({{"kind", "service"},
                   {"service", parts_.name},
                   {"listener", parts_.listener_type},
                   {"handler", parts_.handler_type}});
}

Service::~Service() = default;

bool Service::may_warn(TimePoint now) {
  auto quiet_until = quiet_until_.load(std::memory_order_relaxed);
  auto since_epoch = now.time_since_epoch();
  if (since_epoch.count() < quiet_until) return false;
  return quiet_until_.compare_exchange_strong(quiet_until, (since_epoch + kWarnAgain).count(),
                                              std::memory_order_relaxed);
}

Result<> Service::bind(Workers& workers) {
  if (auto bound = parts_.listener->bind(workers.size()); !bound) return bound;
  std::vector<Loop*> loops;
  std::vector<ListenerSeat> seats;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    shards_.push_back(std::make_unique<Shard>(*this, workers[i], i));
    loops.push_back(&workers[i].loop);
    seats.push_back({&workers[i], shards_.back().get()});
  }
  gate_ = std::make_shared<HandshakeGate>(parts_.max_handshakes, loops);
  parts_.listener->seat(std::move(seats));
  log_.info("listening on " + parts_.listener->address().to_string() + "/" + parts_.listener->network());
  return {};
}

Task<> Service::start() {
  // All are open before the first accepts: an accepted connection may go to any of them.
  for (auto& shard : shards_) co_await run_on(shard->io().loop, shard->open());
  for (auto& shard : shards_) co_await run_on(shard->io().loop, shard->accept());
}

Task<> Service::stop_accepting() {
  for (auto& shard : shards_) co_await run_on(shard->io().loop, shard->stop_accepting());
  parts_.listener->close();
}

Task<> Service::finish(Duration drain) {
  auto finish_shard = [](Shard& shard, Duration limit) -> Task<> {
    co_await run_on(shard.io().loop, shard.finish(limit));
  };
  TaskGroup group(co_await this_scope());
  for (auto& shard : shards_) group.spawn(finish_shard(*shard, drain));
  co_await group.join();
}

Task<> Service::hurry() {
  auto hurry_shard = [](Shard& shard) -> Task<> {
    shard.hurry();
    co_return;
  };
  for (auto& shard : shards_) co_await run_on(shard->io().loop, hurry_shard(*shard));
}

}  // namespace gost
