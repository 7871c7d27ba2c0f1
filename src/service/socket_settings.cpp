#include "service/socket_settings.hpp"

#include "service/option_reader.hpp"

#include <algorithm>
#include <limits>

namespace gost {

Result<KeepAlive> keepalive_of(const config::Metadata& metadata) {
  constexpr std::int64_t kMaxProbes = 127;  // of the kernel
  OptionReader options(metadata);
  KeepAlive keepalive;
  if (options.boolean({"keepalive"}, false)) {
    keepalive.idle = options.duration({"keepalive.idle"}, keepalive.idle);
    keepalive.interval = options.duration({"keepalive.interval"}, keepalive.interval);
    std::int64_t count = options.integer({"keepalive.count"}, keepalive.count);
    if (count > 0) keepalive.count = static_cast<int>(std::min(count, kMaxProbes));
  }
  if (auto error = options.error()) return fail(std::move(*error));
  return keepalive;
}

Result<OutboundOptions> outbound_of(const config::Metadata& metadata, const std::string& interface,
                                    const std::optional<config::SockOpts>& sockopts,
                                    const OutboundOptions& inherited) {
  OutboundOptions options = inherited;
  auto named = config::get_string(metadata, {"interface"});
  if (!named) return fail(named.error());
  std::string chosen = named->value_or("").empty() ? interface : **named;
  if (!chosen.empty()) {
    options.interface_auto = chosen == "auto";
    options.socket.interface = options.interface_auto ? "" : chosen;
  }
  auto mark = config::get_int(metadata, {"so_mark"});
  if (!mark) return fail(mark.error());
  std::int64_t number = mark->value_or(sockopts ? sockopts->mark : 0);
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max())
    return fail(Cause::invalid, "so_mark " + std::to_string(number) + " is not a number from 0 to 4294967295");
  if (number != 0) options.socket.mark = static_cast<std::uint32_t>(number);
  auto batching = config::get_bool(metadata, {"udp.batching"});
  if (!batching) return fail(batching.error());
  options.socket.batching = batching->value_or(inherited.socket.batching);
  return options;
}

}  // namespace gost
