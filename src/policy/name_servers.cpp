#include "policy/name_servers.hpp"

#include "core/text.hpp"
#include "runtime/list.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gost {

namespace {

/// How long it is remembered that a name has no address.
constexpr Duration kNegativeTtl = std::chrono::seconds(60);
/// Longer than a day nothing is believed.
constexpr Duration kMaxTtl = std::chrono::hours(24);

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

std::vector<IpAddress> loopback() {
  std::array<std::uint8_t, 16> six{};
  six[15] = 1;
  return {IpAddress::v4({127, 0, 0, 1}), IpAddress::v6(six)};
}

/// Of equal names one form: lower case, no dot at the end.
std::string normal_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

Duration ttl_of(const DnsAnswer& answer, Duration configured) {
  if (configured != Duration::zero()) return configured;
  if (answer.addresses.empty()) return kNegativeTtl;
  return std::min<Duration>(std::chrono::seconds(answer.ttl), kMaxTtl);
}

}  // namespace

/// A question under way: asked by one, awaited by the others.
class NameServers::Pending {
 public:
  struct FollowerTag;
  struct Follower : ListHook<FollowerTag> {
    Wait* place = nullptr;
  };

  /// Ends every follower's wait. Without a result the one who asked was stopped, and another has to ask.
  void finish(std::optional<Result<Addresses>> result) {
    done_ = true;
    result_ = std::move(result);
    followers_.for_each([](Follower& follower) {
      follower.unlink();
      if (follower.place != nullptr) follower.place->complete();
    });
  }
  bool done() const { return done_; }
  const std::optional<Result<Addresses>>& result() const { return result_; }
  void follow(Follower& follower) { followers_.push_back(follower); }

 private:
  bool done_ = false;
  std::optional<Result<Addresses>> result_;
  List<Follower, FollowerTag> followers_;
};

class [[nodiscard]] NameServers::UntilFinished {
 public:
  explicit UntilFinished(Pending& pending) : pending_(pending) {}
  bool await_ready() const { return pending_.done(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    pending_.follow(follower_);
    return wait_.begin(coroutine.promise().scope(), coroutine, &follower_.place);
  }
  Outcome await_resume() {
    follower_.unlink();
    return wait_.outcome();
  }

 private:
  Pending& pending_;
  Pending::Follower follower_;
  Wait wait_;
};

std::string NameServers::Question::key() const {
  return std::to_string(server) + (family == Family::v4 ? " A " : " AAAA ") + host;
}

Task<Result<NameServers::Addresses>> NameServers::lookup(IoContext& io, std::string host) const {
  host = normal_name(host);
  if (is_localhost(host)) co_return loopback();
  std::optional<Error> failure;
  for (std::size_t server = 0; server < options_.servers.size(); ++server) {
    auto found = co_await ask_server(io, server, host);
    if (found && !found->empty()) co_return std::move(*found);
    if (!found) failure = std::move(found.error());
    if ((co_await this_scope()).stopped()) break;
  }
  if (failure) co_return fail(failure->in("resolver"));
  co_return fail(Cause::host_unreachable, "resolver: domain " + host + " does not exist");
}

Task<Result<NameServers::Addresses>> NameServers::ask_server(IoContext& io, std::size_t server,
                                                             std::string host) const {
  const NameServerOptions& options = options_.servers[server];
  Question question{server, std::move(host), options.prefer};
  auto found = co_await answer(io, question);
  if (!found || !found->empty() || options.only) co_return found;
  question.family = options.prefer == Family::v4 ? Family::v6 : Family::v4;
  co_return co_await answer(io, std::move(question));
}

Task<Result<NameServers::Addresses>> NameServers::answer(IoContext& io, Question question) const {
  State& state = state_of(io);
  if (const CachedAnswer* cached = state.cache.find(question.key())) {
    bool fresh = io.loop.now() < cached->expires;
    if (fresh || options_.servers[question.server].async) {
      Addresses addresses = cached->addresses;
      if (!fresh) start_renewal(io, question);
      co_return addresses;
    }
  }
  co_return co_await ask_once(io, std::move(question));
}

Task<Result<NameServers::Addresses>> NameServers::ask_once(IoContext& io, Question question) const {
  State& state = state_of(io);
  std::string key = question.key();
  for (;;) {
    auto found = state.pending.find(key);
    if (found == state.pending.end()) break;
    std::shared_ptr<Pending> pending = found->second;
    Outcome outcome = co_await UntilFinished(*pending);
    if (outcome != Outcome::ready) co_return fail(stop_error(outcome).in("lookup " + question.host));
    if (pending->result()) co_return *pending->result();
  }
  if (state.pending.size() >= options_.max_pending)
    co_return fail(Cause::exhausted, "lookup " + question.host + ": too many lookups under way");
  auto pending = std::make_shared<Pending>();
  state.pending.emplace(key, pending);
  auto result = co_await ask_and_store(io, std::move(question));
  state.pending.erase(key);
  bool stopped = (co_await this_scope()).stopped();
  pending->finish(stopped && !result ? std::nullopt : std::optional(result));
  co_return result;
}

Task<Result<NameServers::Addresses>> NameServers::ask_and_store(IoContext& io, Question question) const {
  const NameServerOptions& server = options_.servers[question.server];
  auto answer = co_await ask_name_server(io, server, question.host, question.family);
  if (!answer) co_return fail(std::move(answer.error()));
  Duration ttl = ttl_of(*answer, server.ttl);
  if (ttl > Duration::zero()) state_of(io).cache.store(question.key(), {answer->addresses, io.loop.now() + ttl});
  co_return std::move(answer->addresses);
}

void NameServers::start_renewal(IoContext& io, const Question& question) const {
  State& state = state_of(io);
  if (state.pending.contains(question.key())) return;
  if (!state.renewals) state.renewals.emplace(io.loop.root());
  state.renewals->spawn(renew(io, question));
}

Task<> NameServers::renew(IoContext& io, Question question) const {
  co_await ask_once(io, std::move(question));
}

Task<> NameServers::close(IoContext& io) const {
  State* state = states_.find(io.loop);
  if (state == nullptr || !state->renewals) co_return;
  state->renewals->stop();
  co_await state->renewals->join();
  state->renewals.reset();
}

}  // namespace gost
