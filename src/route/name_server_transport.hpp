// How name servers are reached through a router.
#pragma once

#include "component/router.hpp"
#include "policy/name_server.hpp"

#include <memory>

namespace gost {

/// Exchanges with name servers go through `router`, so through its chain if it has one.
NameServerTransport transport_through(std::shared_ptr<const Router> router);

}  // namespace gost
