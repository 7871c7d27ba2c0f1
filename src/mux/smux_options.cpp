#include "mux/smux_options.hpp"

#include "mux/refuse_option.hpp"
#include "mux/smux_frame.hpp"

#include <limits>
#include <string>

namespace gost {

Result<> validate(const SmuxOptions& options) {
  auto number = [](std::int64_t value) { return std::to_string(value); };
  if (options.version != 1 && options.version != 2)
    return refuse_option("version", number(options.version), "must be 1 or 2");
  if (!options.keepalive_disabled) {
    if (options.keepalive_interval <= Duration::zero())
      return refuse_option("keepaliveInterval", to_string(options.keepalive_interval), "must be positive");
    if (options.keepalive_timeout < options.keepalive_interval) {
      return refuse_option(
          "keepaliveTimeout", to_string(options.keepalive_timeout),
          "must not be shorter than mux.keepaliveInterval, which is " + to_string(options.keepalive_interval));
    }
  }
  if (options.max_frame_size <= 0 || options.max_frame_size > static_cast<std::int64_t>(kSmuxMaxPayload))
    return refuse_option("maxFrameSize", number(options.max_frame_size), "must be from 1 to 65535");
  if (options.max_receive_buffer <= 0)
    return refuse_option("maxReceiveBuffer", number(options.max_receive_buffer), "must be positive");
  if (options.max_stream_buffer <= 0)
    return refuse_option("maxStreamBuffer", number(options.max_stream_buffer), "must be positive");
  if (options.max_stream_buffer > options.max_receive_buffer) {
    return refuse_option(
        "maxStreamBuffer", number(options.max_stream_buffer),
        "must not be larger than mux.maxReceiveBuffer, which is " + number(options.max_receive_buffer));
  }
  if (options.max_stream_buffer > std::numeric_limits<std::int32_t>::max())
    return refuse_option("maxStreamBuffer", number(options.max_stream_buffer), "must not be larger than 2147483647");
  return {};
}

}  // namespace gost
