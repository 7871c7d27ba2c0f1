// The options mux.* of whatever carries many streams on one connection.
#pragma once

#include "mux/smux_options.hpp"
#include "service/option_reader.hpp"

#include <string>

namespace gost {

/// Numbers and durations that are not positive mean the default, as in GOST.
inline Result<SmuxOptions> multiplexing(OptionReader& options) {
  SmuxOptions typed;
  auto number = [&options](config::Keys keys, std::int64_t& value) {
    if (std::int64_t given = options.integer(keys, 0); given > 0) value = given;
  };
  auto duration = [&options](config::Keys keys, Duration& value) {
    if (Duration given = options.duration(keys, {}); given > Duration::zero()) value = given;
  };
  number({"mux.version"}, typed.version);
  number({"mux.maxFrameSize"}, typed.max_frame_size);
  number({"mux.maxReceiveBuffer"}, typed.max_receive_buffer);
  number({"mux.maxStreamBuffer"}, typed.max_stream_buffer);
  duration({"mux.keepaliveInterval"}, typed.keepalive_interval);
  duration({"mux.keepaliveTimeout"}, typed.keepalive_timeout);
  typed.keepalive_disabled = options.boolean({"mux.keepaliveDisabled"}, false);
  std::string type = options.text({"mux.type"});
  if (auto error = options.error()) return fail(std::move(*error));
  if (!type.empty() && type != "smux")
    return fail(Cause::invalid, "mux.type '" + type + "' is not available in this build, only 'smux'");
  if (auto good = validate(typed); !good) return fail(std::move(good.error()));
  return typed;
}

}  // namespace gost
