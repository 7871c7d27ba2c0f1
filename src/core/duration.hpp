// Durations as Go writes them: "1h30m", "250ms", "1m0s".
#pragma once

#include "core/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace gost {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Go's time.ParseDuration, with its error texts (`time: unknown unit "d" in duration "1d"`).
Result<Duration> parse_duration(std::string_view text);
/// Go's Duration.String: "0s", "1.5s", "1m0s", "8760h0m0s".
std::string to_string(Duration duration);

}  // namespace gost
