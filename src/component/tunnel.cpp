#include "component/tunnel.hpp"

namespace gost {

Task<> run_tunnel(Session& session, Stream& upstream, const RelayOptions& options) {
  session.record.relay_started(session.io.loop.now());
  auto error = co_await relay(*session.client, upstream, session.io.pools(), options, session.bytes);
  session.record.relay_ended(session.io.loop.now(), error);
}

}  // namespace gost
