// The `auto` handler: the first byte of a connection decides which handler serves it.
#pragma once

#include "component/session.hpp"

#include <memory>

namespace gost {

struct AutoHandlerOptions {
  Duration read_timeout = std::chrono::seconds(15);  ///< for the first byte; the chosen handler has its own
  std::shared_ptr<const Handler> socks4;
  std::shared_ptr<const Handler> socks5;
};

class AutoHandler final : public Handler {
 public:
  explicit AutoHandler(AutoHandlerOptions options) : options_(std::move(options)) {}
  Task<Result<>> handle(Session& session) const override;

 private:
  AutoHandlerOptions options_;
};

}  // namespace gost
