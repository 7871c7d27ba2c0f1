// The address of a service as GOST writes it.
#pragma once

#include "core/address.hpp"

#include <string>

namespace gost {

struct ListenAddress {
  SocketAddress address;
  bool both_families = false;  ///< an IPv6 socket that takes IPv4 too
  bool ipv4_only = false;      ///< Go's "tcp4" and "udp4", for messages
};

/// ":port" is both families, "[v6]:port" IPv6, anything else IPv4 only; a name is looked up (blocking: for start-up).
/// Errors say what is wrong with `text`.
Result<ListenAddress> parse_listen_address(const std::string& text);

}  // namespace gost
