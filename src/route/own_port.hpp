// Ports of this machine, for a bind that no proxy is asked for.
#pragma once

#include "component/remote_bind.hpp"
#include "core/address.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"

#include <memory>

namespace gost {

/// Listens at `at`, whose host is an address or empty (every address, both families). Errors: "listen tcp …"; a host
/// that is still a name does not exist (Cause::host_unreachable).
Result<std::unique_ptr<RemoteBind>> listen_here(IoContext& io, const Endpoint& at);

/// The same for datagrams; a socket of every address answers from the one that was asked.
Result<std::unique_ptr<Datagram>> listen_here_for_datagrams(IoContext& io, const Endpoint& at);

}  // namespace gost
