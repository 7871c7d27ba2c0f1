// The options mux.* of whatever carries many streams on one connection.
#pragma once

#include "mux/options.hpp"
#include "service/option_reader.hpp"

namespace gost {

/// Numbers and durations that are not positive mean the default, as in GOST; `version` is that of mux.version.
Result<MuxOptions> multiplexing(OptionReader& options, std::int64_t version = 1);

}  // namespace gost
