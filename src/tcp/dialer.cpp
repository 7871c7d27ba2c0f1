#include "tcp/dialer.hpp"

namespace gost {

Task<Result<std::unique_ptr<Stream>>> TcpDialer::dial(IoContext&, RawConnection& raw) const {
  return raw.open();
}

}  // namespace gost
