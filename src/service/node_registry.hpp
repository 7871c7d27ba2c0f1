// The registry of connectors and dialers: what a node of a chain is made of.
#pragma once

#include "config/check.hpp"
#include "config/model.hpp"
#include "observe/log.hpp"
#include "route/hop.hpp"
#include "tls/client_context.hpp"

#include <memory>
#include <string>

namespace gost {

/// What connectors and dialers get besides their own options.
struct NodeResources {
  Logger log;                                               ///< with the fields hop and node
  NameLookup lookup;                                        ///< by the node's hosts and resolver, else by the system
  std::string address;                                      ///< of the node, as configured
  std::string host;                                         ///< of that address
  std::shared_ptr<const tls::ClientContext> connector_tls;  ///< for TLS that a connector negotiates
  std::shared_ptr<const tls::ClientContext> dialer_tls;     ///< of a dialer that encrypts, else null
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
                                  const NodeResources& resources);

}  // namespace gost
