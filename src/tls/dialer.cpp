#include "tls/dialer.hpp"

#include "tls/stream.hpp"

namespace gost::tls {

Task<Result<std::unique_ptr<Stream>>> TlsDialer::dial(IoContext& io, RawConnection& raw) const {
  auto below = co_await raw.open();
  if (!below) co_return below;
  co_return co_await with_deadline(timeout_, tls_connect(io, std::move(*below), *context_, host_));
}

}  // namespace gost::tls
