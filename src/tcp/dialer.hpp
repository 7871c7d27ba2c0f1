// The tcp dialer: no transport of its own, the connection to the proxy is used as it is.
#pragma once

#include "component/connector.hpp"

namespace gost {

class TcpDialer final : public Dialer {
 public:
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const override;
};

}  // namespace gost
