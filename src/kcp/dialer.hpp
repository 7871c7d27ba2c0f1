// KcpDialer: a stream to a proxy over UDP (wire.md §12.7). What a `kcp` node dials with below its smux.
#pragma once

#include "component/connector.hpp"
#include "kcp/connection.hpp"
#include "kcp/loop_state.hpp"
#include "observe/log.hpp"
#include "runtime/per_loop.hpp"

#include <memory>

namespace gost::kcp {

/// Each stream is a session of its own, with snappy unless it is switched off, and a socket of its own. There is no
/// handshake, so a peer that is not there shows only when nothing is acknowledged, or when its system refuses a
/// packet. Sessions are carried by IoContext::background.
class KcpDialer final : public Dialer {
 public:
  /// `options` must be valid. Errors: the key cannot be derived, or the library lacks the cipher. Takes milliseconds.
  static Result<std::shared_ptr<const KcpDialer>> make(const Options& options, Logger log);

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext& io, RawConnection& raw) const override;

 private:
  KcpDialer(const Options& options, Logger log) : options_(options), log_(std::move(log)) {}

  Options options_;
  Logger log_;
  Keys keys_;
  std::shared_ptr<const ConnectionOptions> connections_;
  PerLoop<std::shared_ptr<LoopState>> states_;
};

}  // namespace gost::kcp
