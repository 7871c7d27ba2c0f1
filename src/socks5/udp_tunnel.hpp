// UDP-TUN (0xF3) of the SOCKS5 server: datagrams on the SOCKS5 connection itself (wire.md §8).
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "socks5/associate.hpp"
#include "socks5/codec.hpp"

namespace gost::socks5 {

/// Port 0 asks for a relay, any other port for that port of this machine; nothing else tells them apart.
inline bool is_bind_mode(const Request& request) {
  return request.target.port != 0;
}

/// Serves a UDP-TUN request to its end. Relay mode takes the router's way to the targets and replies its reason where
/// there is none (GOST closes without a word); bind mode opens exactly the requested address and replies 01 if it
/// cannot. Rules are asked for both directions. The tunnel ends with its connection, at the first malformed frame, or
/// after its idle time.
GOST_OWN_FRAME Task<Result<>> serve_udp_tunnel(Session& session, const Router& router, const UdpOptions& options,
                                               Request request);

}  // namespace gost::socks5
