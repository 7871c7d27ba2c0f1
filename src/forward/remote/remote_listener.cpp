#include "forward/remote/remote_listener.hpp"

namespace gost::forward {

RemoteListener::RemoteListener(std::string address, std::shared_ptr<const Router> router, Logger log)
    : text_(std::move(address)), router_(std::move(router)), log_(std::move(log)) {}

Result<> RemoteListener::bind(std::size_t /*loops*/) {
  auto endpoint = parse_endpoint(text_);
  if (!endpoint) return fail(endpoint.error().in("bind on " + name()));
  IpAddress ip = endpoint->host.empty() ? IpAddress::v6({}) : IpAddress::parse(endpoint->host).value_or(IpAddress());
  address_ = SocketAddress(ip, endpoint->port);
  requested_ = std::move(*endpoint);
  return {};
}

Task<> RemoteListener::accept(std::size_t here) {
  if (here != 0) co_return;
  Scope& scope = co_await this_scope();
  while (!scope.stopped()) {
    announced_ = false;
    Error error = co_await hold_port();
    if (scope.stopped()) break;
    Backoff::Pause pause = backoff_.next();
    log_.warn((announced_ ? "the port " + name() + " is lost: " : "bind on " + name() + " failed: ") + error.text +
              ", retrying in " + to_string(pause.nominal));
    co_await sleep_for(pause.actual);
  }
}

void RemoteListener::announce(const Endpoint& bound) {
  announced_ = true;
  backoff_.reset();
  if (auto ip = IpAddress::parse(bound.host)) address_ = SocketAddress(*ip, bound.port);
  log_.info("bind on " + name() + " OK: " + bound.to_string());
}

}  // namespace gost::forward
