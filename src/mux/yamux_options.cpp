#include "mux/yamux_options.hpp"

#include "mux/refuse_option.hpp"
#include "mux/yamux_frame.hpp"

#include <limits>
#include <string>

namespace gost {

Result<> validate(const YamuxOptions& options) {
  auto number = [](std::int64_t value) { return std::to_string(value); };
  if (!options.keepalive_disabled && options.keepalive_interval <= Duration::zero())
    return refuse_option("keepaliveInterval", to_string(options.keepalive_interval), "must be positive");
  if (options.max_stream_window < std::int64_t{kYamuxFirstWindow}) {
    return refuse_option("maxStreamWindow", number(options.max_stream_window),
                         "must be at least " + number(kYamuxFirstWindow) + ", with which every stream begins");
  }
  if (options.max_stream_window > std::numeric_limits<std::int32_t>::max())
    return refuse_option("maxStreamWindow", number(options.max_stream_window), "must not be larger than 2147483647");
  if (options.max_stream_window > options.max_receive_buffer) {
    return refuse_option(
        "maxStreamWindow", number(options.max_stream_window),
        "must not be larger than mux.maxReceiveBuffer, which is " + number(options.max_receive_buffer));
  }
  return {};
}

}  // namespace gost
