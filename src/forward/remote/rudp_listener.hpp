// The `rudp` listener: a UDP port at the end of a chain (wire.md §8.1, §8.4).
#pragma once

#include "forward/remote/remote_listener.hpp"
#include "udp/demux.hpp"

#include <cstddef>
#include <memory>

namespace gost::forward {

struct RudpOptions {
  DemuxOptions demux{.longest = 8192, .queue_size = 1024};
  std::size_t backlog = SessionLimits().backlog;  ///< sessions whose handler does not read yet (option backlog)
};

/// Each peer of the port is a session, as of the `udp` listener. The sessions end with the way to the port.
class RudpListener final : public RemoteListener {
 public:
  RudpListener(std::string address, const RudpOptions& options, std::shared_ptr<const Router> router, Logger log);
  std::string network() const override { return "udp"; }

 private:
  Task<Error> hold_port() override;

  RudpOptions options_;
  std::shared_ptr<SessionLimits> limits_;
};

}  // namespace gost::forward
