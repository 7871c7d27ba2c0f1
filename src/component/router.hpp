// Router: where connections to targets come from.
#pragma once

#include "core/address.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <memory>

namespace gost {

/// Immutable and shared by all loops.
class Router {
 public:
  virtual ~Router() = default;

  /// A stream to `target` that belongs to the loop of `io`, within the router's own time limit. Errors carry the
  /// cause by which a handler chooses its reply.
  virtual Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, Endpoint target) const = 0;
};

}  // namespace gost
