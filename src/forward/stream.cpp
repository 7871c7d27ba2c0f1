#include "component/tunnel.hpp"
#include "forward/handler.hpp"
#include "forward/targets.hpp"

namespace gost::forward {

Task<Result<>> forward_stream(Session& session, const HandlerOptions& options) {
  auto dial = [&session, &options](Endpoint target) {
    return options.router->dial(session.io, std::move(target), session.requester());
  };
  auto upstream = co_await first_that_opens<std::unique_ptr<Stream>>(session, *options.targets, "connect", dial);
  if (!upstream) co_return fail(std::move(upstream.error()));
  session.record.set_route((*upstream)->local(), (*upstream)->remote());
  const RelayOptions relaying{.idle_timeout = options.idle_timeout};
  co_await run_tunnel(session, **upstream, relaying);
  co_return {};
}

}  // namespace gost::forward
