#include "net/happy_eyeballs.hpp"

#include "net/tcp.hpp"
#include "runtime/task_group.hpp"

#include <algorithm>
#include <deque>
#include <optional>

namespace gost {

namespace {

/// The race for one connection. One coroutine (`run`) decides; lookups and attempts report to it through `changed_`.
class Race {
 public:
  Race(Scope& parent, const Endpoint& to, const LookupFunction& lookup, const ConnectFunction& connect,
       const HappyEyeballsOptions& options)
      : to_(to), lookup_(lookup), connect_(connect), options_(options), group_(parent) {}

  Task<Result<std::unique_ptr<Stream>>> run() {
    group_.spawn(find(Family::v6, six_));
    group_.spawn(find(Family::v4, four_));
    Outcome outcome = co_await addresses_known();
    TimePoint next_attempt = group_.scope().loop().now();
    while (outcome == Outcome::ready && !winner_ && !exhausted()) {
      TimePoint now = group_.scope().loop().now();
      // Only time, or the failure of an attempt, makes room for the next one (RFC 8305 §5).
      bool may_start = now >= next_attempt || attempt_ended_;
      auto address = may_start ? next_address() : std::nullopt;
      if (address) {
        next_attempt = now + options_.attempt_delay;
        attempt_ended_ = false;
        ++attempts_;
        group_.spawn(attempt(*address));
      } else {
        outcome = co_await change_within(now < next_attempt ? next_attempt - now : Duration::zero());
      }
    }
    group_.stop();
    co_await group_.join();
    if (winner_) co_return std::move(winner_);
    if (outcome != Outcome::ready) co_return fail(stop_error(outcome).in("dial tcp " + to_.to_string()));
    co_return fail(first_error_.value_or(Error{Cause::host_unreachable, "no address"}));
  }

 private:
  struct Found {
    bool done = false;
    std::deque<IpAddress> addresses;
  };

  Task<> find(Family family, Found& found) {
    auto addresses = co_await lookup_(to_.host, family);
    found.done = true;
    if (addresses) {
      found.addresses.assign(addresses->begin(), addresses->end());
    } else if (addresses.error().cause != Cause::canceled) {
      lookup_error_ = addresses.error().in("dial tcp");
      if (six_.done && four_.done && !first_error_) first_error_ = lookup_error_;
    }
    changed();
  }

  Task<> attempt(SocketAddress address) {
    auto stream = co_await connect_(address);
    --attempts_;
    attempt_ended_ = true;
    if (stream && !winner_) {
      winner_ = std::move(*stream);
    } else if (!stream && stream.error().cause != Cause::canceled && (!first_error_ || !attempt_failed_)) {
      first_error_ = stream.error();
      attempt_failed_ = true;
    }
    changed();
  }

  /// Until IPv6 addresses are there, or IPv4 ones and IPv6 did not follow soon (RFC 8305 §3).
  Task<Outcome> addresses_known() {
    Outcome outcome = Outcome::ready;
    while (outcome == Outcome::ready && !six_.done && !four_.done) outcome = co_await change_within(Duration::zero());
    if (outcome == Outcome::ready && !six_.done && !four_.addresses.empty())
      outcome = co_await change_within(options_.resolution_delay);
    while (outcome == Outcome::ready && six_.addresses.empty() && four_.addresses.empty() &&
           !(six_.done && four_.done))
      outcome = co_await change_within(Duration::zero());
    co_return outcome;
  }

  bool exhausted() const {
    return six_.done && four_.done && six_.addresses.empty() && four_.addresses.empty() && attempts_ == 0;
  }

  std::optional<SocketAddress> next_address() {
    Found* first = next_is_four_ ? &four_ : &six_;
    if (first->addresses.empty()) first = next_is_four_ ? &six_ : &four_;
    if (first->addresses.empty()) return std::nullopt;
    next_is_four_ = first == &six_;
    IpAddress ip = first->addresses.front();
    first->addresses.pop_front();
    return SocketAddress(ip, to_.port);
  }

  void changed() {
    signaled_ = true;
    if (waiting_ != nullptr) waiting_->complete();
  }

  /// Waits for a lookup or an attempt to end, or for `limit` (0: however long it takes) to pass.
  Task<Outcome> change_within(Duration limit) {
    bool limited = limit > Duration::zero();
    Outcome outcome = co_await with_deadline(limit, change());
    if (limited && outcome == Outcome::timeout && !group_.scope().stopped()) co_return Outcome::ready;
    co_return outcome;
  }

  Task<Outcome> change() {
    struct Awaiter {
      Race& race;
      Wait wait{};
      bool await_ready() const { return race.signaled_; }
      bool await_suspend(std::coroutine_handle<Task<Outcome>::promise_type> coroutine) {
        return wait.begin(coroutine.promise().scope(), coroutine, &race.waiting_);
      }
      Outcome await_resume() const { return wait.outcome(); }
    };
    Outcome outcome = co_await Awaiter{*this};
    signaled_ = false;
    co_return outcome;
  }

  const Endpoint& to_;
  const LookupFunction& lookup_;
  const ConnectFunction& connect_;
  const HappyEyeballsOptions& options_;
  Found six_;
  Found four_;
  bool next_is_four_ = false;
  int attempts_ = 0;
  bool attempt_ended_ = false;   ///< since the last one was started
  bool attempt_failed_ = false;  ///< `first_error_` is that of an attempt
  std::optional<Error> lookup_error_;
  std::optional<Error> first_error_;
  std::unique_ptr<Stream> winner_;
  bool signaled_ = false;
  Wait* waiting_ = nullptr;
  TaskGroup group_;
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_host(Endpoint to, LookupFunction lookup, ConnectFunction connect,
                                                   HappyEyeballsOptions options) {
  Race race(co_await this_scope(), to, lookup, connect, options);
  co_return co_await race.run();
}

namespace {
Task<Result<std::unique_ptr<Stream>>> connect_address(SocketAddress to, const SocketOptions& options) {
  auto stream = co_await connect_tcp(to, options);
  if (!stream) co_return fail(std::move(stream.error()));
  co_return std::move(*stream);
}
}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_host(Endpoint to, Resolver& resolver, SocketOptions options) {
  if (to.host.empty()) co_return co_await connect_address(SocketAddress(IpAddress(), to.port), options);
  if (auto ip = IpAddress::parse(to.host))
    co_return co_await connect_address(SocketAddress(ip->unmapped(), to.port), options);
  LookupFunction lookup = [&resolver](std::string host, Family family) {
    return resolver.lookup(std::move(host), family);
  };
  ConnectFunction connect = [&options](SocketAddress address) { return connect_address(address, options); };
  co_return co_await connect_host(std::move(to), std::move(lookup), std::move(connect));
}

}  // namespace gost
