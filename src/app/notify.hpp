// Telling systemd about the state of the service (sd_notify).
#pragma once

#include <string_view>

namespace gost {

/// Sends `state` ("READY=1", "STOPPING=1") to the socket named by NOTIFY_SOCKET; does nothing without that variable.
void notify_manager(std::string_view state);

}  // namespace gost
