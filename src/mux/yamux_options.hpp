// What can be configured of a yamux session (mux.type=yamux, wire.md §6.8).
#pragma once

#include "core/duration.hpp"

#include <cstdint>

namespace gost {

struct YamuxOptions {
  bool keepalive_disabled = false;
  Duration keepalive_interval = std::chrono::seconds(30);  ///< between two pings
  std::int64_t max_stream_window = 262'144;                ///< how much of a stream may be on its way and unread
  std::int64_t max_receive_buffer = 67'108'864;  ///< unread bytes of all streams beyond which nothing is read
};

/// Errors (Cause::invalid) name the option and say what it may be.
Result<> validate(const YamuxOptions& options);

}  // namespace gost
