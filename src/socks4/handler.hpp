// The SOCKS4 and SOCKS4a server (wire.md §1).
#pragma once

#include "component/bind.hpp"
#include "component/router.hpp"
#include "component/session.hpp"
#include "policy/auther.hpp"

#include <memory>

namespace gost::socks4 {

struct HandlerOptions {
  Duration read_timeout = std::chrono::seconds(15);  ///< for the whole request
  std::shared_ptr<const Authenticator> auther;       ///< null: the user id is only logged
  std::shared_ptr<const Router> router;
  bool bind = false;    ///< BIND
  BindOptions binding;  ///< of BIND; only an IPv4 `public_addr` fits into a reply, else clients are told 0.0.0.0
};

class SocksHandler final : public Handler {
 public:
  explicit SocksHandler(HandlerOptions options) : options_(std::move(options)) {}
  Task<Result<>> handle(Session& session) const override;

 private:
  GOST_OWN_FRAME Task<Result<>> bind(Session& session, Endpoint requested) const;

  HandlerOptions options_;
};

}  // namespace gost::socks4
