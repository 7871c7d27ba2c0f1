#include "route/direct_router.hpp"

#include "net/happy_eyeballs.hpp"

namespace gost {

Task<Result<std::unique_ptr<Stream>>> DirectRouter::dial(IoContext& io, Endpoint target) const {
  for (int attempt = 0;; ++attempt) {
    auto stream = co_await with_deadline(options_.timeout, connect_host(target, io.resolver));
    if (stream) co_return stream;
    if (attempt >= options_.retries || stream.error().cause == Cause::canceled) co_return stream;
    if (co_await yield() != Outcome::ready) co_return stream;
  }
}

}  // namespace gost
