#include "route/name_server_transport.hpp"
#include "route/router.hpp"
#include "service/build_chain.hpp"

namespace gost {

std::shared_ptr<const NameServers> ChainBuilder::resolver_of(const config::Origin& at, const std::string& name) {
  if (name.empty()) return nullptr;
  if (auto known = resolvers_.find(name); known != resolvers_.end()) return known->second;
  const config::Resolver* resolver = find_named(context_.config.resolvers, name);
  if (resolver == nullptr) {
    context_.error(at, "resolver '" + name + "' is not defined");
    return nullptr;
  }
  auto made = make(*resolver);
  if (made) context_.built.resolvers.push_back(made);
  return resolvers_[name] = made;
}

std::shared_ptr<const NameServers> ChainBuilder::make(const config::Resolver& resolver) {
  NameServersOptions options;
  options.name = resolver.name;
  for (const config::Nameserver& server : resolver.nameservers) {
    auto made = make(server, resolver.name);
    if (!made) return nullptr;
    options.servers.push_back(std::move(*made));
  }
  if (options.servers.empty()) {
    context_.error(resolver.origin, "resolver '" + resolver.name + "' has no nameservers");
    return nullptr;
  }
  return std::make_shared<const NameServers>(std::move(options));
}

std::optional<NameServerOptions> ChainBuilder::make(const config::Nameserver& server, const std::string& resolver) {
  NameServerOptions options;
  auto address = parse_name_server(server.addr);
  if (!address) {
    context_.error(server.origin, "resolver '" + resolver + "': " + address.error().text);
    return std::nullopt;
  }
  options.address = std::move(*address);
  options.only = !server.only.empty();
  const std::string& family = options.only ? server.only : server.prefer;
  options.prefer = family == "ipv6" ? Family::v6 : Family::v4;
  if (server.timeout > Duration::zero()) options.timeout = server.timeout;
  options.ttl = server.ttl;
  options.async = server.async;
  if (!server.client_ip.empty()) options.client = IpAddress::parse(server.client_ip);

  RouterOptions routing;
  routing.sockets = sockets_;
  routing.timeout = options.timeout;
  routing.chains = chains_of(server.origin, server.chain, std::nullopt);
  if (!server.chain.empty() && !routing.chains) return std::nullopt;
  options.transport = transport_through(std::make_shared<const ChainRouter>(std::move(routing)));
  return options;
}

}  // namespace gost
