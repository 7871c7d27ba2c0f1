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

#include <memory>
#include <string>

namespace gost {

/// What handlers get from their service besides their own options.
struct HandlerResources {
  std::shared_ptr<const Authenticator> auther;  ///< null: no authentication
  std::shared_ptr<const Router> router;
  std::shared_ptr<const TargetList> targets;  ///< null: the service has no forwarder
  Logger log;                                 ///< with the service's name
};

/// The names that can be started.
config::Availability availability();

/// `type` may be empty or an alias. Errors name the option and where it was written.
Result<std::shared_ptr<const Handler>> make_handler(const config::Handler& handler,
                                                    const HandlerResources& resources);
Result<std::unique_ptr<Listener>> make_listener(const config::Listener& listener, const std::string& address);
/// An error if the handler cannot serve what the listener delivers: only forwards serve datagrams.
Result<> check_pair(const config::Handler& handler, const config::Listener& listener);

}  // namespace gost
