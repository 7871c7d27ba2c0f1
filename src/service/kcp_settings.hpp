// The options kcp.* of a listener or dialer, with its file and object (wire.md §12.9).
#pragma once

#include "config/metadata.hpp"
#include "kcp/options.hpp"
#include "mux/smux_options.hpp"

#include <string>
#include <vector>

namespace gost {

struct KcpSettings {
  kcp::Options options;
  SmuxOptions mux;  ///< of the sessions above: version, buffers, keepalive
  std::vector<std::string>
      warnings;  ///< sentences to log once: a public key, an unknown cipher, fields without effect
};

enum class KcpSide : std::uint8_t { listener, dialer };

/// Values come from the options (kcp.key, …), then from the object `kcp.config` or, without one, the JSON file
/// `kcp.configFile` (as kcptun has it, read now), then from the defaults; what is null, and a number or duration that
/// is not positive where that makes no sense, counts as absent. A listener without a key also accepts the documented
/// one. Errors: what cannot be used, with the place where it stands; kcp.tcp.
Result<KcpSettings> kcp_settings(const config::Metadata& metadata, KcpSide side);

}  // namespace gost
