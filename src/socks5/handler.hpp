// The SOCKS5 server (RFC 1928, RFC 1929, wire.md §2): negotiation, and the choice of what serves the command.
#pragma once

#include "component/bind.hpp"
#include "component/router.hpp"
#include "component/session.hpp"
#include "policy/auther.hpp"
#include "socks5/associate.hpp"
#include "socks5/codec.hpp"
#include "socks5/mbind.hpp"
#include "tls/server_context.hpp"

#include <memory>

namespace gost::socks5 {

/// TLS by the methods 0x80 and 0x82.
enum class Encryption : std::uint8_t { none, offered, required };

struct HandlerOptions {
  Duration read_timeout = std::chrono::seconds(15);  ///< for negotiation and request together
  std::shared_ptr<const Authenticator> auther;       ///< null: anybody may use the server
  std::shared_ptr<const Router> router;
  /// For the methods 0x80 and 0x82 (wire.md §3); null (`notls`): they are not chosen. If it is
  /// compulsory (a CA for clients is named), no others are.
  std::shared_ptr<const tls::ServerContext> tls;
  bool bind = false;    ///< BIND, MBIND, and UDP-TUN that is bound to a port
  BindOptions binding;  ///< of BIND and MBIND
  MbindOptions mbinding;
  bool udp = false;     ///< UDP ASSOCIATE, and UDP-TUN as a relay
  UdpOptions relaying;  ///< of both, and of a bound UDP-TUN
};

class SocksHandler final : public Handler {
 public:
  explicit SocksHandler(HandlerOptions options)
      : options_(std::move(options)),
        associations_(std::make_shared<AssociationLimit>(options_.relaying.max_associations)) {}
  Task<Result<>> handle(Session& session) const override;

 private:
  Encryption encryption() const;
  /// Greeting, authentication and request.
  GOST_OWN_FRAME Task<Result<Request>> negotiate(Session& session) const;
  GOST_OWN_FRAME Task<Result<>> authenticate(Session& session) const;
  /// From the handshake to what serves the request, or refuses it.
  GOST_OWN_FRAME Task<Task<Result<>>> service_for(Session& session) const;
  /// Why the command is not served; nothing if it is.
  std::optional<Error> refusal_of(const Request& request) const;
  Task<Result<>> connect(Session& session, Endpoint target) const;
  GOST_OWN_FRAME static Task<Result<>> tell_connected(Session& session, const Stream& upstream);

  HandlerOptions options_;
  std::shared_ptr<AssociationLimit> associations_;  ///< counts for all loops
};

/// The method to use for a client that offers `greeting`, as GOST chooses it (wire.md §2.1); with
/// Encryption::required only one with TLS.
Method choose_method(const Greeting& greeting, bool authentication_required, Encryption encryption);

}  // namespace gost::socks5
