#include "service/ws_settings.hpp"

#include "service/option_reader.hpp"
#include "service/socket_settings.hpp"

#include <algorithm>
#include <utility>

namespace gost {

namespace {

/// How often is pinged where it is not said (wire.md §10.3).
constexpr Duration kPingInterval = std::chrono::seconds(15);

Result<std::vector<ws::HttpField>> headers_of(const config::Metadata& metadata, bool client) {
  const config::Value* value = metadata.find({"ws.header", "header"});
  if (value == nullptr || value->is_null()) return std::vector<ws::HttpField>();
  auto refuse = [](const config::Origin& at, const std::string& why) {
    return fail(Cause::invalid, at.to_string() + ": header: " + why);
  };
  if (value->map() == nullptr) return refuse(value->origin, value->describe() + " is not a map of names and values");
  std::vector<ws::HttpField> fields;
  for (const config::Member& member : *value->map()) {
    if (member.value.list() != nullptr || member.value.map() != nullptr)
      return refuse(member.origin, "'" + member.key + "' is " + member.value.describe() + ", not a text");
    fields.push_back({member.key, member.value.text()});
  }
  auto checked = ws::checked_headers(std::move(fields), client);
  if (!checked) return refuse(value->origin, checked.error().text);
  return checked;
}

/// What both ends have in common; `interval` is that of pings once they are asked for.
Result<> read_common(OptionReader& options, const config::Metadata& metadata, bool client, ws::CommonOptions& typed) {
  if (std::string path = options.text({"ws.path", "path"}); !path.empty())
    typed.path = path.starts_with('/') ? path : "/" + path;
  if (Duration given = options.duration({"ws.handshakeTimeout", "handshakeTimeout"}, {}); given > Duration::zero())
    typed.handshake_timeout = given;
  typed.compression = options.boolean({"ws.enableCompression", "enableCompression"}, false);
  typed.max_payload = options.size({"ws.writeBufferSize", "writeBufferSize"}, typed.max_payload);
  options.integer({"ws.readBufferSize", "readBufferSize"}, 0);  // buffers are borrowed, but the value must make sense
  if (options.boolean({"ws.keepalive", "keepalive"}, false)) {
    const Duration given = options.duration({"ttl", "keepalive.interval"}, {});
    typed.ping_interval = given > Duration::zero() ? given : kPingInterval;
  }
  auto headers = headers_of(metadata, client);
  if (!headers) return fail(std::move(headers.error()));
  typed.headers = std::move(*headers);
  if (auto error = options.error()) return fail(std::move(*error));
  return {};
}

}  // namespace

Result<ws::ServerOptions> ws_server_options(const config::Metadata& metadata) {
  OptionReader options(metadata);
  ws::ServerOptions typed;
  typed.head_timeout = options.duration({"ws.readHeaderTimeout", "readHeaderTimeout"}, {});
  options.integer({"ws.backlog", "backlog"}, 0);  // nothing is queued, but the value must make sense
  auto proxies = config::get_list(metadata, {"trustedProxies"});
  if (!proxies) return fail(std::move(proxies.error()));
  std::vector<IpRange> ranges;
  for (const std::string& text : *proxies) {
    auto range = text.find('/') == std::string::npos ? parse_ip_range(text) : parse_cidr(text);
    if (!range)
      return fail(Cause::invalid,
                  "trustedProxies: '" + text + "' is neither an IP address nor a block like 10.0.0.0/8");
    ranges.push_back(*range);
  }
  typed.trusted_proxies = IpRanges(std::move(ranges));
  if (auto read = read_common(options, metadata, false, typed); !read) return fail(std::move(read.error()));
  return typed;
}

Result<ws::ClientOptions> ws_client_options(const config::Metadata& metadata, const std::string& address) {
  OptionReader options(metadata);
  ws::ClientOptions typed;
  typed.host = options.text({"ws.host", "host"});
  if (typed.host.empty()) typed.host = address;
  if (!ws::is_field_value(typed.host) || typed.host.find_first_of(" \t/") != std::string::npos)
    return fail(Cause::invalid, "host: '" + typed.host + "' cannot stand in the field Host");
  if (auto read = read_common(options, metadata, true, typed); !read) return fail(std::move(read.error()));
  return typed;
}

Result<KeepAlive> tcp_keepalive_below_ws(const config::Metadata& metadata) {
  config::Metadata below;
  for (const std::string key : {"keepalive", "keepalive.idle", "keepalive.interval", "keepalive.count"})
    if (const config::Value* value = metadata.find("tcp." + key)) below.set(key, *value);
  return keepalive_of(below);
}

}  // namespace gost
