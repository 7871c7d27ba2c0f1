// The limit of open descriptors.
#pragma once

#include <cstdint>

namespace gost {

/// Raises RLIMIT_NOFILE to its hard limit and returns the limit in force.
std::uint64_t raise_descriptor_limit();

}  // namespace gost
