#include "route/forward_connector.hpp"

namespace gost {

Task<Result<std::unique_ptr<Stream>>> ForwardConnector::connect(IoContext&, Underlay& underlay, Endpoint) const {
  auto stream = co_await underlay.open_stream();
  if (stream) underlay.admitted();
  co_return stream;
}

}  // namespace gost
