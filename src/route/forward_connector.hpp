// The connectors `forward` and `tcp`: pass-through. The node is the target, whatever was asked for.
#pragma once

#include "component/connector.hpp"

namespace gost {

class ForwardConnector final : public Connector {
 public:
  Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Underlay& underlay, Endpoint target) const override;
};

}  // namespace gost
