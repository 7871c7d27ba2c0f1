#include "service/mux_settings.hpp"

#include <algorithm>
#include <string>

namespace gost {

namespace {

void read_number(OptionReader& options, config::Keys keys, std::int64_t& value) {
  if (std::int64_t given = options.integer(keys, 0); given > 0) value = given;
}

void read_duration(OptionReader& options, config::Keys keys, Duration& value) {
  if (Duration given = options.duration(keys, {}); given > Duration::zero()) value = given;
}

SmuxOptions read_smux(OptionReader& options, std::int64_t version) {
  SmuxOptions typed;
  typed.version = version;
  read_number(options, {"mux.version"}, typed.version);
  read_number(options, {"mux.maxFrameSize"}, typed.max_frame_size);
  read_number(options, {"mux.maxReceiveBuffer"}, typed.max_receive_buffer);
  read_number(options, {"mux.maxStreamBuffer"}, typed.max_stream_buffer);
  read_duration(options, {"mux.keepaliveInterval"}, typed.keepalive_interval);
  read_duration(options, {"mux.keepaliveTimeout"}, typed.keepalive_timeout);
  typed.keepalive_disabled = options.boolean({"mux.keepaliveDisabled"}, false);
  return typed;
}

YamuxOptions read_yamux(OptionReader& options) {
  YamuxOptions typed;
  read_number(options, {"mux.maxStreamWindow"}, typed.max_stream_window);
  // GOST takes a window of any size.
  typed.max_receive_buffer = std::max(typed.max_receive_buffer, typed.max_stream_window);
  read_number(options, {"mux.maxReceiveBuffer"}, typed.max_receive_buffer);
  read_duration(options, {"mux.keepaliveInterval"}, typed.keepalive_interval);
  typed.keepalive_disabled = options.boolean({"mux.keepaliveDisabled"}, false);
  return typed;
}

}  // namespace

Result<MuxOptions> multiplexing(OptionReader& options, std::int64_t version) {
  std::string type = options.text({"mux.type"});
  if (!type.empty() && type != "smux" && type != "yamux")
    return fail(Cause::invalid, "mux.type is '" + type + "', but must be 'smux' or 'yamux'");
  MuxOptions typed;
  if (type == "yamux") {
    typed = read_yamux(options);
  } else {
    typed = read_smux(options, version);
  }
  if (auto error = options.error()) return fail(std::move(*error));
  if (auto good = validate(typed); !good) return fail(std::move(good.error()));
  return typed;
}

}  // namespace gost
