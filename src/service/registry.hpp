// The registry: every handler and listener of this build by name, and how each is made from its configuration.
#pragma once

#include "component/listener.hpp"
#include "component/router.hpp"
#include "component/session.hpp"
#include "config/check.hpp"
#include "config/model.hpp"
#include "policy/auther.hpp"

#include <memory>
#include <string>

namespace gost {

/// What handlers get from their service besides their own options.
struct HandlerResources {
  std::shared_ptr<const Authenticator> auther;  ///< null: no authentication
  std::shared_ptr<const Router> router;
};

/// The names that can be started.
config::Availability availability();

/// `type` may be empty or an alias. Errors name the option and where it was written.
Result<std::shared_ptr<const Handler>> make_handler(const config::Handler& handler,
                                                    const HandlerResources& resources);
Result<std::unique_ptr<Listener>> make_listener(const config::Listener& listener, const std::string& address);

}  // namespace gost
