// The one table that maps a cause to what each protocol says of it.
#pragma once

#include "core/error.hpp"

#include <cstdint>

namespace gost {

struct Refusal {
  std::uint8_t socks4;  ///< reply code CD (wire.md §1.2)
  std::uint8_t socks5;  ///< reply code REP (RFC 1928 §6)
};

/// What to answer to a client whose request failed for `cause`.
Refusal refusal_for(Cause cause);

}  // namespace gost
