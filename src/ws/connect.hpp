// The client's handshake (wire.md §10.1).
#pragma once

#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "ws/options.hpp"

#include <memory>

namespace gost::ws {

/// Asks the server at the other end of `below` for WebSocket and returns it. The caller sets the deadline; `options`
/// must live until this returns. After an error `below` is closed. Errors, which begin with "websocket": what the
/// server answered instead, and what to look at (Cause::protocol); the stream's; a stop.
Task<Result<std::unique_ptr<Stream>>> ws_connect(IoContext& io, std::unique_ptr<Stream> below,
                                                 const ClientOptions& options);

}  // namespace gost::ws
