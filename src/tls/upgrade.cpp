#include "tls/upgrade.hpp"

#include "tls/stream.hpp"

namespace gost::tls {

Task<Result<std::unique_ptr<Stream>>> TlsUpgrade::upgrade(IoContext& io, std::unique_ptr<Stream> below) const {
  co_return co_await with_deadline(timeout_, tls_accept(io, std::move(below), *context_));
}

}  // namespace gost::tls
