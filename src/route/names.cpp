#include "route/names.hpp"

#include "route/outbound.hpp"

namespace gost {

Task<Result<std::optional<std::vector<IpAddress>>>> look_up(IoContext& io, const NameRules& rules, std::string host) {
  if (host.empty() || IpAddress::parse(host)) co_return std::nullopt;
  if (rules.hosts)
    if (auto listed = rules.hosts->lookup(host); !listed.empty()) co_return std::optional(std::move(listed));
  if (!rules.resolver) co_return std::nullopt;
  auto found = co_await rules.resolver->lookup(io, std::move(host));
  if (!found) co_return fail(std::move(found.error()));
  co_return std::optional(std::move(*found));
}

namespace {

Task<Result<std::vector<IpAddress>>> look_up_family(IoContext& io, NameRules rules, std::string host, Family family) {
  auto addresses = co_await look_up(io, rules, host);
  if (!addresses) co_return fail(std::move(addresses.error()));
  if (!*addresses) co_return co_await io.resolver.lookup(std::move(host), family);
  std::erase_if(**addresses, [family](const IpAddress& ip) { return ip.is_v4() != (family == Family::v4); });
  if ((*addresses)->empty()) co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
  co_return std::move(**addresses);
}

}  // namespace

NameLookup lookup_by(NameRules rules) {
  return [rules = std::move(rules)](IoContext& io, std::string host, Family family) {
    return look_up_family(io, rules, std::move(host), family);
  };
}

Task<Result<IpAddress>> resolve(IoContext& io, const NameRules& rules, const Outbound& system, std::string host) {
  auto addresses = co_await look_up(io, rules, host);
  if (!addresses) co_return fail(addresses.error());
  if (*addresses) co_return (*addresses)->front();
  co_return co_await system.resolve(io, std::move(host));
}

}  // namespace gost
