#include "ws/dialer.hpp"

#include "runtime/loop.hpp"
#include "ws/connect.hpp"

namespace gost::ws {

Task<Result<std::unique_ptr<Stream>>> WsDialer::dial(IoContext& io, RawConnection& raw) const {
  auto below = co_await below_->dial(io, raw);
  if (!below) co_return below;
  co_return co_await with_deadline(options_.handshake_timeout, ws_connect(io, std::move(*below), options_));
}

}  // namespace gost::ws
