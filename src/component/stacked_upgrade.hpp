// StackedUpgrade: one layer upon another, as WebSocket upon TLS.
#pragma once

#include "component/listener.hpp"

#include <memory>

namespace gost {

class StackedUpgrade final : public StreamUpgrade {
 public:
  StackedUpgrade(std::shared_ptr<const StreamUpgrade> lower, std::shared_ptr<const StreamUpgrade> upper)
      : lower_(std::move(lower)), upper_(std::move(upper)) {}

  Task<Result<std::unique_ptr<Stream>>> upgrade(IoContext& io, std::unique_ptr<Stream> below) const override {
    auto lower = co_await lower_->upgrade(io, std::move(below));
    if (!lower) co_return lower;
    co_return co_await upper_->upgrade(io, std::move(*lower));
  }

 private:
  std::shared_ptr<const StreamUpgrade> lower_;
  std::shared_ptr<const StreamUpgrade> upper_;
};

}  // namespace gost
