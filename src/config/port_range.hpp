// Ranges of ports in addresses: ":2000-2002".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gost::config {

/// One address per port of the range. Text that is no address with a port or an ascending range of ports comes back
/// as it is.
std::vector<std::string> expand_ports(std::string_view address);

}  // namespace gost::config
