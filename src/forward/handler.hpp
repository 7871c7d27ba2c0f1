// The forwarding handler: whatever comes goes to one of the configured targets.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "route/target_list.hpp"

#include <memory>

namespace gost::forward {

struct HandlerOptions {
  std::shared_ptr<const Router> router;
  std::shared_ptr<const TargetList> targets;
  /// The session ends when nothing moves for this long, either way (option idleTimeout); 0: never.
  Duration idle_timeout = Duration::zero();
};

/// GOST's handlers `tcp`, `udp` and `forward`, which are one: it serves streams and datagrams as the listener has
/// them.
class ForwardHandler final : public Handler {
 public:
  /// The router must be there, and a list of at least one target.
  explicit ForwardHandler(HandlerOptions options) : options_(std::move(options)) {}

  /// A target that cannot be reached is replaced by the next one before the client notices. Errors: that of the last
  /// target tried.
  Task<Result<>> handle(Session& session) const override;

 private:
  HandlerOptions options_;
};

/// Connects the session's stream with a target and relays.
GOST_OWN_FRAME Task<Result<>> forward_stream(Session& session, const HandlerOptions& options);

/// Opens a way for datagrams to a target and relays those of the session's client. A name is looked up on this side,
/// as GOST does (wire.md §7.4, §8.4); an empty host is the local host of whoever sends to it: this machine, or with a
/// chain the machine of the last proxy.
GOST_OWN_FRAME Task<Result<>> forward_datagrams(Session& session, const HandlerOptions& options);

}  // namespace gost::forward
