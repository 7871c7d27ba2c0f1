// The options of the listeners and dialers `ws`, `wss`, `mws`, `mwss`.
#pragma once

#include "config/metadata.hpp"
#include "net/socket_options.hpp"
#include "ws/options.hpp"

#include <string>

namespace gost {

/// Errors name the option and where it was written.
Result<ws::ServerOptions> ws_server_options(const config::Metadata& metadata);
/// `address` is the node's: what stands in the field Host where no option says otherwise.
Result<ws::ClientOptions> ws_client_options(const config::Metadata& metadata, const std::string& address);

/// Keepalive of the TCP connection below such a dialer: there `keepalive` means pings.
Result<KeepAlive> tcp_keepalive_below_ws(const config::Metadata& metadata);

}  // namespace gost
