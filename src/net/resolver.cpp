#include "net/resolver.hpp"

#include "core/text.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace gost {

namespace {

constexpr const char* kSystemConfiguration = "/etc/resolv.conf";
constexpr Duration kLookEvery = std::chrono::seconds(5);
/// More than this many at once are no use of a proxy but an attack on its name servers.
constexpr std::size_t kMaxPending = 4096;

/// What cannot be a host name must not reach c-ares, which reads up to the first NUL and would look up another name.
bool is_possible_name(std::string_view host) {
  auto is_bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  return host.size() <= 253 && std::ranges::none_of(host, is_bad);
}

bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return iequals(host, "localhost") || (host.size() > 10 && iequals(host.substr(host.size() - 10), ".localhost"));
}

IpAddress loopback(Family family) {
  if (family == Family::v4) return IpAddress::v4({127, 0, 0, 1});
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = 1;
  return IpAddress::v6(bytes);
}

}  // namespace

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : loop_(loop), options_(std::move(options)), seen_(look_at_system()), retired_(loop.root()) {
  ares_library_init(ARES_LIB_INIT_ALL);
  channel_ = std::make_unique<AresChannel>(loop_, options_);
}

Resolver::~Resolver() {
  channel_.reset();
  ares_library_cleanup();
}

Task<Result<std::vector<IpAddress>>> Resolver::lookup(std::string host, Family family) {
  if (is_localhost(host)) co_return std::vector{loopback(family)};
  auto failed = [&host](Cause cause, std::string_view why) {
    return fail(cause, "lookup " + host + ": " + std::string(why));
  };
  if (!is_possible_name(host)) co_return failed(Cause::host_unreachable, "no such host");
  AresChannel& channel = current_channel();
  if (channel.status() != ARES_SUCCESS) co_return failed(Cause::other, ares_strerror(channel.status()));
  if (channel.pending() >= kMaxPending) co_return failed(Cause::exhausted, "too many lookups under way");

  auto answer = co_await channel.lookup(host, family);
  if (answer.outcome != Outcome::ready) co_return fail(stop_error(answer.outcome).in("lookup " + host));
  switch (answer.status) {
  case ARES_SUCCESS:
    if (!answer.addresses.empty()) co_return std::move(answer.addresses);
    [[fallthrough]];
  case ARES_ENODATA:
  case ARES_ENOTFOUND:
  case ARES_EBADNAME: co_return failed(Cause::host_unreachable, "no such host");
  case ARES_ETIMEOUT: co_return failed(Cause::timeout, "i/o timeout");
  default: co_return failed(Cause::other, to_lower(ares_strerror(answer.status)));
  }
}

std::optional<Resolver::Signature> Resolver::look_at_system() {
  struct stat status{};
  if (::stat(kSystemConfiguration, &status) != 0) return std::nullopt;
  return Signature{status.st_size, status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
}

AresChannel& Resolver::current_channel() {
  bool usable = channel_->status() == ARES_SUCCESS;
  if (loop_.now() >= look_again_) {
    look_again_ = loop_.now() + kLookEvery;
    auto seen = look_at_system();
    if (seen != seen_) usable = false;
    seen_ = seen;
  }
  if (!usable) {
    retired_.spawn(retire(std::move(channel_)));
    channel_ = std::make_unique<AresChannel>(loop_, options_);
  }
  return *channel_;
}

Task<> Resolver::retire(std::unique_ptr<AresChannel> channel) {
  // Those who wait at it get their answers; it looks now and then whether the last one is gone.
  while (channel->pending() > 0 && co_await sleep_for(kLookEvery) == Outcome::ready) {
  }
  co_await channel->close();
}

Task<> Resolver::close() {
  retired_.stop();
  co_await retired_.join();
  co_await channel_->close();
}

}  // namespace gost
