// The two networks on which a target can be reached.
#pragma once

#include <cstdint>

namespace gost {

enum class Network : std::uint8_t { tcp, udp };

}  // namespace gost
