// The registry: every handler and listener of this build by name, and how each is made from its configuration.
#pragma once

#include "component/listener.hpp"
#include "component/router.hpp"
#include "component/session.hpp"
#include "config/check.hpp"
#include "config/model.hpp"
#include "observe/log.hpp"
#include "policy/auther.hpp"
#include "route/target_list.hpp"
#include "tls/server_context.hpp"

#include <memory>
#include <string>

namespace gost {

/// What handlers get from their service besides their own options.
struct HandlerResources {
  std::shared_ptr<const Authenticator> auther;  ///< null: no authentication
  std::shared_ptr<const Router> router;
  std::shared_ptr<const TargetList> targets;      ///< null: the service has no forwarder
  std::shared_ptr<const tls::ServerContext> tls;  ///< for TLS that a handler negotiates; null: it does not
  Logger log;                                     ///< with the service's name
};

/// What listeners get besides their own options.
struct ListenerResources {
  std::shared_ptr<const tls::ServerContext> tls;          ///< of those that encrypt (encrypts()), else null
  std::shared_ptr<const Router> router;                   ///< of those that bind at the end of their chain, else null
  Duration handshake_timeout = std::chrono::seconds(15);  ///< for what is said before the handler comes to it
  Logger log;                                             ///< with the service's name
};

/// The names that can be started.
config::Availability availability();

/// `type` may be empty or an alias. Errors name the option and where it was written.
Result<std::shared_ptr<const Handler>> make_handler(const config::Handler& handler,
                                                    const HandlerResources& resources);
Result<std::unique_ptr<Listener>> make_listener(const config::Listener& listener, const std::string& address,
                                                const ListenerResources& resources);
/// An error if the handler cannot serve what the listener delivers: only forwards serve datagrams.
Result<> check_pair(const config::Handler& handler, const config::Listener& listener);

}  // namespace gost
