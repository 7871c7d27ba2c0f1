// What can be configured of an smux session (wire.md §6.7, §6.8).
#pragma once

#include "core/duration.hpp"

#include <cstddef>
#include <cstdint>

namespace gost {

struct SmuxOptions {
  std::int64_t version = 1;  ///< 1 or 2; the same at both ends (option mux.version)
  bool keepalive_disabled = false;
  Duration keepalive_interval = std::chrono::seconds(10);
  /// Silence after which the session ends, looked at so often.
  Duration keepalive_timeout = std::chrono::seconds(30);
  std::int64_t max_frame_size = 32768;          ///< payload of a frame that is sent
  std::int64_t max_receive_buffer = 4'194'304;  ///< unread bytes of all streams beyond which nothing is read
  std::int64_t max_stream_buffer = 65536;       ///< version 2: the window of a stream to begin with
  /// Tells the peer that this side understands half-closes, which only this program does (smux_frame.hpp). To others
  /// the sign means nothing.
  bool half_close = false;
};

/// Errors (Cause::invalid) name the option and say what it may be.
Result<> validate(const SmuxOptions& options);

}  // namespace gost
