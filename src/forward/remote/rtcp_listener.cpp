#include "forward/remote/rtcp_listener.hpp"

#include "runtime/turn.hpp"

namespace gost::forward {

namespace {

Task<> carry(std::shared_ptr<RemoteBind> port) {
  co_await port->run();
}

Task<Error> deliver_all(RemoteBind& port, StreamSink& sink) {
  Turn turn;
  for (;;) {
    auto peer = co_await port.accept();
    if (!peer) co_return std::move(peer.error());
    sink.deliver(std::move(*peer));
    if (!turn.used_up(0)) continue;
    if (Outcome outcome = co_await yield(); outcome != Outcome::ready) co_return stop_error(outcome);
  }
}

}  // namespace

Task<Error> RtcpListener::hold_port() {
  auto bound = co_await router().bind(*here().io, requested(), Requester());
  if (!bound) co_return std::move(bound.error());
  std::shared_ptr<RemoteBind> port = std::move(*bound);
  announce(port->bound());
  here().sink->carry(carry(port));
  Error error = co_await deliver_all(*port, *here().sink);
  port->close();
  co_return error;
}

}  // namespace gost::forward
