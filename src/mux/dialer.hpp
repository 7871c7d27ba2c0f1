// MuxDialer: many streams on one connection of another dialer; `mtcp`, and `mtls`, `mws`, `mwss`, `kcp` by what it
// dials with (wire.md §11).
#pragma once

#include "component/connector.hpp"
#include "mux/session.hpp"
#include "observe/log.hpp"
#include "runtime/event.hpp"
#include "runtime/per_loop.hpp"

#include <memory>

namespace gost {

/// Each loop has a connection of its own, made by the first request and kept until it breaks. Requests that come
/// while it is made wait for it. Its sessions run in IoContext::background.
class MuxDialer final : public Dialer {
 public:
  /// `options` must be valid. `log` tells why a connection ended, as a
  /// warning unless the proxy has just gone.
  MuxDialer(std::shared_ptr<const Dialer> below, const MuxOptions& options, Logger log)
      : below_(std::move(below)), options_(for_transport(options)), log_(std::move(log)) {}

  /// A stream of the connection that there is, or of one through `raw`. Errors are those of the dialer below.
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const override;

 private:
  /// A request that waits for the connection of another one.
  struct Waiting : ListHook<struct WaitingTag> {
    Event settled;
    std::optional<Error> error;  ///< why there is none
  };
  struct Pool {
    std::shared_ptr<MuxSession> session;  ///< may have ended
    bool connecting = false;
    List<Waiting, WaitingTag> waiting;
  };

  /// A session that can be used, or null: the caller is to make one.
  GOST_OWN_FRAME Task<Result<std::shared_ptr<MuxSession>>> wait_for_session(Pool& pool) const;
  GOST_OWN_FRAME Task<Result<std::shared_ptr<MuxSession>>> connect(IoContext& io, RawConnection& raw,
                                                                   Pool& pool) const;
  static void settle(Pool& pool, const std::optional<Error>& error);
  static Task<> run(IoContext& io, std::shared_ptr<MuxSession> session, SocketAddress proxy, Logger log);

  std::shared_ptr<const Dialer> below_;
  MuxOptions options_;
  Logger log_;
  PerLoop<Pool> pools_;
};

}  // namespace gost
