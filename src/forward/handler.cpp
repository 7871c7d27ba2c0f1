#include "forward/handler.hpp"

namespace gost::forward {

Task<Result<>> ForwardHandler::handle(Session& session) const {
  session.handshake.leave();  // there is none
  if (session.datagram) co_return co_await forward_datagrams(session, options_);
  co_return co_await forward_stream(session, options_);
}

}  // namespace gost::forward
