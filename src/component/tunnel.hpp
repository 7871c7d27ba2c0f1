// The last part of every session: the relay between client and target, with its log lines.
#pragma once

#include "component/session.hpp"
#include "net/relay.hpp"

namespace gost {

/// Relays between the session's client and `upstream` until the tunnel ends. That an established tunnel broke is not
/// the handler's failure: the lines of the record tell how it ended.
Task<> run_tunnel(Session& session, Stream& upstream, const RelayOptions& options = {});

}  // namespace gost
