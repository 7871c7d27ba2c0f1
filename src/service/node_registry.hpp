// The registry of connectors and dialers: what a node of a chain is made of.
#pragma once

#include "config/check.hpp"
#include "config/model.hpp"
#include "observe/log.hpp"
#include "route/hop.hpp"

#include <memory>
#include <string>

namespace gost {

/// What connectors get besides their own options.
struct ConnectorResources {
  Logger log;         ///< with the fields hop and node
  NameLookup lookup;  ///< by the node's hosts and resolver, else by the system
};

/// What connector and dialer together make of a node.
struct NodeParts {
  NodeKind kind = NodeKind::proxy;
  std::shared_ptr<const Connector> connector;  ///< null unless `kind` is proxy
  std::shared_ptr<const Dialer> dialer;        ///< null unless `kind` is proxy
  KeepAlive keepalive;                         ///< of TCP connections to the node
};

/// Adds the names that can be used.
void add_node_components(config::Availability& available);

/// Both types may be empty or aliases. Errors name the option and where it was written, or say that the two do not go
/// together.
Result<NodeParts> make_node_parts(const config::Connector& connector, const config::Dialer& dialer,
                                  const ConnectorResources& resources);

}  // namespace gost
