#include "forward/remote/rudp_listener.hpp"

namespace gost::forward {

RudpListener::RudpListener(std::string address, const RudpOptions& options, std::shared_ptr<const Router> router,
                           Logger log)
    : RemoteListener(std::move(address), std::move(router), std::move(log)),
      options_(options),
      limits_(std::make_shared<SessionLimits>()) {
  limits_->backlog = options.backlog;
}

Task<Error> RudpListener::hold_port() {
  auto way = co_await router().bind_datagram(*here().io, requested(), Requester());
  if (!way) co_return std::move(way.error());
  SocketAddress local = (*way)->local();
  announce({local.ip().to_string(), local.port()});
  UdpDemux demux(*here().io, **way, *here().sink, options_.demux, limits_);
  auto error = co_await demux.run();
  co_return error.value_or(stop_error(Outcome::canceled));
}

}  // namespace gost::forward
