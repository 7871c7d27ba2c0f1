// The BIND command of the SOCKS5 server (RFC 1928 §4 and §6, wire.md §4).
#pragma once

#include "component/bind.hpp"

namespace gost::socks5 {

/// Serves a BIND request to its end: the first reply tells where the server listens, the second one who came, then
/// the two are relayed. Replies 01 if it cannot listen, 06 if nobody came in time, none if the client left before.
GOST_OWN_FRAME Task<Result<>> serve_bind(Session& session, const Router& router, const BindOptions& options,
                                         Endpoint requested);

}  // namespace gost::socks5
