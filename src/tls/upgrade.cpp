#include "tls/upgrade.hpp"

#include "tls/stream.hpp"

namespace gost::tls {

Task<Result<std::unique_ptr<Stream>>> TlsUpgrade::upgrade(IoContext& io, std::unique_ptr<Stream> below) const {
  auto stream = co_await tls_accept(io, std::move(below), *context_);
  if (!stream) co_return fail(stream.error().in("tls"));
  co_return stream;
}

}  // namespace gost::tls
