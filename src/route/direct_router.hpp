// The router without a chain: connects to the target itself.
#pragma once

#include "component/router.hpp"

namespace gost {

struct DirectRouterOptions {
  Duration timeout = std::chrono::seconds(15);  ///< for name lookup and connecting together, per attempt
  int retries = 0;                              ///< further attempts after a failed one
};

class DirectRouter final : public Router {
 public:
  explicit DirectRouter(const DirectRouterOptions& options) : options_(options) {}
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, Endpoint target) const override;

 private:
  DirectRouterOptions options_;
};

}  // namespace gost
