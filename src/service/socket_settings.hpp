// Settings of sockets as services, hops, nodes, listeners and dialers have them in common.
#pragma once

#include "config/metadata.hpp"
#include "config/model_common.hpp"
#include "net/socket_options.hpp"
#include "route/outbound.hpp"

#include <optional>
#include <string>

namespace gost {

/// `keepalive`, `keepalive.idle`, `keepalive.interval`, `keepalive.count`; without `keepalive` GOST's (Go's)
/// defaults.
Result<KeepAlive> keepalive_of(const config::Metadata& metadata);

/// `interface`, `so_mark` and `udp.batching`: the options of these names, else the deprecated fields, else what
/// `inherited` has.
Result<OutboundOptions> outbound_of(const config::Metadata& metadata, const std::string& interface,
                                    const std::optional<config::SockOpts>& sockopts,
                                    const OutboundOptions& inherited = {});

}  // namespace gost
