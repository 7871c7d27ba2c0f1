// The client's side of MBIND (0xF2, wire.md §5.3): a port of the proxy, whose peers are streams on our connection to
// it.
#pragma once

#include "component/connector.hpp"
#include "component/remote_bind.hpp"
#include "mux/session.hpp"
#include "observe/log.hpp"
#include "runtime/event.hpp"

#include <cstddef>
#include <deque>
#include <memory>

namespace gost::socks5 {

/// Each peer's address is read from its stream before anything else, beside the others and within 15 s: a stream
/// whose reply is bad, missing or late is dropped with a warning and harms nobody else.
class MuxBind final : public RemoteBind, private MuxSink {
 public:
  /// Peers that nobody has accepted, those whose reply has not come included; further ones are dropped.
  static constexpr std::size_t kMaxWaiting = 1024;

  /// `control` has carried the proxy's first reply, which named `bound`. `options` must be valid.
  MuxBind(IoContext& io, std::unique_ptr<Stream> control, Endpoint bound, const MuxOptions& options,
          NameLookup lookup, Logger log);

  Endpoint bound() const override { return bound_; }
  Task<> run() override;
  Task<Result<std::unique_ptr<Stream>>> accept() override;
  void close() override;

 private:
  void accepted(std::unique_ptr<MuxStream> stream) override;
  Task<> introduce(std::unique_ptr<MuxStream> stream);
  GOST_OWN_FRAME Task<Result<SocketAddress>> address_of(MuxStream& stream);
  void dropped(const std::string& why) const;

  IoContext& io_;
  const Endpoint bound_;
  const NameLookup lookup_;
  const Logger log_;
  MuxSession session_;
  TaskGroup* introductions_ = nullptr;  ///< while run() runs
  std::deque<std::unique_ptr<Stream>> peers_;
  Event arrival_;               ///< there is a peer, or there will be none any more
  std::optional<Error> error_;  ///< why there will be no more peers
};

}  // namespace gost::socks5
