// The MBIND command of the SOCKS5 server (0xF2, wire.md §5): one port, any number of peers, each a stream of a
// session on the client's connection.
#pragma once

#include "component/bind.hpp"
#include "mux/options.hpp"

#include <cstddef>

namespace gost::socks5 {

struct MbindOptions {
  /// No reply in front of a peer's bytes, for clients of GOST v2 (option comp). Clients of v3 need it.
  bool comp = false;
  MuxOptions mux;                ///< must be valid
  std::size_t max_peers = 1024;  ///< at once; further ones wait in the kernel's queue
};

/// Serves an MBIND request to its end. The reply tells where the server listens: exactly at the requested address,
/// which must be one of this machine. After it the server opens a stream for each peer, says the peer's address in a
/// reply of its own (a frame of its own, §5.3), and relays. Ends with the client's connection, and the port and all
/// peers end with it. Takes the session's client. Errors (replied): Cause::other (01) if it cannot listen.
GOST_OWN_FRAME Task<Result<>> serve_mbind(Session& session, const Router& router, const BindOptions& binding,
                                          const MbindOptions& options, Endpoint requested);

}  // namespace gost::socks5
