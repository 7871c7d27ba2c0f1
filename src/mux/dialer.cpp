#include "mux/dialer.hpp"

#include <utility>

namespace gost {

namespace {

class KeptSession final : public KeptForLater {
 public:
  KeptSession(IoContext& io, MuxSession& session) : session_(session) { io.kept_for_later.push_back(*this); }

 private:
  void end_in_order() override { session_.end_when_idle(); }

  MuxSession& session_;
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> MuxDialer::dial(IoContext& io, RawConnection& raw) const {
  Pool& pool = pools_.get(io.loop);
  for (;;) {
    std::shared_ptr<MuxSession> session;
    if (pool.session && pool.session->usable()) {
      session = pool.session;
    } else {
      auto made = co_await (pool.connecting ? wait_for_session(pool) : connect(io, raw, pool));
      if (!made) co_return fail(std::move(made.error()));
      session = std::move(*made);
    }
    if (!session) continue;
    // One that broke just now is replaced; one that has no more ids is, too.
    if (auto stream = session->open()) co_return std::move(*stream);
    session->end_when_idle();
    if (pool.session == session) pool.session.reset();
  }
}

Task<Result<std::shared_ptr<MuxSession>>> MuxDialer::wait_for_session(Pool& pool) const {
  Waiting place;
  pool.waiting.push_back(place);
  Outcome outcome = co_await place.settled.until_set();
  if (outcome != Outcome::ready) co_return fail(stop_error(outcome));
  if (place.error) co_return fail(std::move(*place.error));
  co_return pool.session;
}

Task<Result<std::shared_ptr<MuxSession>>> MuxDialer::connect(IoContext& io, RawConnection& raw, Pool& pool) const {
  if (pool.session) pool.session->end_when_idle();
  pool.session.reset();
  pool.connecting = true;
  auto below = co_await below_->dial(io, raw);
  pool.connecting = false;
  if (!below) {
    // A request that was given up tells nothing about the proxy: the next one tries by itself.
    bool given_up = (co_await this_scope()).stopped();
    settle(pool, given_up ? std::nullopt : std::optional(below.error()));
    co_return fail(std::move(below.error()));
  }
  SocketAddress proxy = (*below)->remote();
  pool.session = std::make_shared<MuxSession>(io, std::move(*below), options_, MuxSide::client);
  io.background.spawn(run(io, pool.session, proxy, log_));
  settle(pool, std::nullopt);
  co_return pool.session;
}

void MuxDialer::settle(Pool& pool, const std::optional<Error>& error) {
  pool.waiting.for_each([&error](Waiting& place) {
    place.unlink();
    place.error = error;
    place.settled.set();
  });
}

Task<> MuxDialer::run(IoContext& io, std::shared_ptr<MuxSession> session, SocketAddress proxy, Logger log) {
  KeptSession kept(io, *session);
  auto error = co_await session->run();
  if (!error) co_return;
  std::string line = "the connection to " + proxy.to_string() + " has ended: " + error->text;
  worth_telling(*error) ? log.warn(line) : log.debug(line);
}

}  // namespace gost
