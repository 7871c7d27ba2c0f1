// The names that the configuration knows itself: hosts first, then a resolver (config.md §4.6).
#pragma once

#include "component/connector.hpp"
#include "net/io_context.hpp"
#include "policy/host_table.hpp"
#include "policy/name_servers.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

struct NameRules {
  std::shared_ptr<const Hosts> hosts;           ///< may be null
  std::shared_ptr<const NameServers> resolver;  ///< may be null
};

/// The addresses of `host` by these rules; nothing if they do not say (it is an IP literal or empty, or there is no
/// resolver): then the name is left to whoever connects. With a resolver the system's is never asked: what the
/// resolver does not know does not exist.
Task<Result<std::optional<std::vector<IpAddress>>>> look_up(IoContext& io, const NameRules& rules, std::string host);

/// The same for connectors: by the rules, else with the resolver of the loop, the addresses of one family.
NameLookup lookup_by(NameRules rules);

class Outbound;

/// One address of `host`: by the rules, else as the system knows it. An IP literal is itself, an empty host is the
/// local host.
Task<Result<IpAddress>> resolve(IoContext& io, const NameRules& rules, const Outbound& system, std::string host);

}  // namespace gost
