#include "config/command_line.hpp"

#include "config/components.hpp"
#include "config/port_range.hpp"
#include "config/query_options.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gost::config {

namespace {

constexpr std::initializer_list<std::string_view> kServiceRoles{"service", "handler", "listener"};
constexpr std::initializer_list<std::string_view> kNodeRoles{"hop", "node", "connector", "dialer"};

/// The two halves of "socks5+tls"; one name stands for both, three or more for none.
std::pair<std::string, std::string> split_scheme(const std::string& scheme) {
  auto parts = split(scheme, '+');
  if (parts.size() == 1) return {std::string(parts[0]), std::string(parts[0])};
  if (parts.size() == 2) return {std::string(parts[0]), std::string(parts[1])};
  return {};
}

/// GOST takes a default for a scheme that nobody knows; say so. (`auto` is known to all as "no scheme".)
void warn_unknown_scheme(const std::string& scheme, Kind upper, Kind lower, std::string_view effect,
                         const Origin& origin, Problems& problems) {
  for (std::string_view part : split(scheme, '+')) {
    if (part == "auto" || is_known(upper, part) || is_known(lower, part)) continue;
    std::vector<std::string_view> names = known_names(upper);
    names.insert(names.end(), known_names(lower).begin(), known_names(lower).end());
    problems.push_back({Severity::warning, origin,
                        fmt::format("unknown name '{}' in scheme '{}': used as {}.{}", part, scheme, effect,
                                    suggestion(part, names))});
  }
}

/// Cuts "host" out of "scheme://user@host/path": GOST does not parse it as part of the URL.
std::pair<std::string, std::string> cut_host(const std::string& text) {
  std::size_t start = text.find("://") + 3;
  std::size_t end = std::min(text.find_first_of("/?", start), text.size());
  if (std::size_t at = text.substr(0, end).rfind('@'); at != std::string::npos && at >= start) start = at + 1;
  return {text.substr(start, end - start), text.substr(0, start) + text.substr(end)};
}

/// Forward targets: the path's comma-separated addresses, port ranges expanded.
std::vector<ForwardNode> targets_of(std::string_view path, const Origin& origin) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<ForwardNode> targets;
  if (path.empty()) return targets;
  for (std::string_view piece : split(path, ',')) {
    for (std::string& addr : expand_ports(piece)) {
      ForwardNode node;
      node.origin = origin;
      node.name = fmt::format("target-{}", targets.size());
      node.addr = std::move(addr);
      targets.push_back(std::move(node));
    }
  }
  return targets;
}

std::string handler_for_targets(const std::string& handler, const std::string& listener) {
  constexpr std::array<std::string_view, 10> kOwnHandler{"tcp", "udp", "rtcp", "rudp",  "tun",
                                                         "tap", "dns", "unix", "runix", "serial"};
  if (handler == "relay") return handler;
  return std::ranges::find(kOwnHandler, listener) != kOwnHandler.end() ? listener : "forward";
}

/// Target list of the service number `index` of `count` that one -L made.
std::vector<ForwardNode> share_of(const std::vector<ForwardNode>& targets, std::size_t index, std::size_t count) {
  if (count == 1 || targets.size() <= 1) return targets;
  if (index < targets.size()) return {targets[index]};
  return {};
}

/// Moves the socket options, which only the service (or the hop) has, out of the query.
Metadata take_socket_options(Metadata& query, std::initializer_list<std::string_view> texts) {
  Metadata taken;
  for (std::string_view key : texts) {
    std::string text = text_of(query, {key});
    if (text.empty()) continue;
    taken.set(std::string(key), Value(text, query.find(key)->origin));
    query.erase(key);
  }
  for (std::string_view key : {"so_mark", "proxyProtocol"}) {
    auto number = positive(query, {key});
    if (!number) continue;
    taken.set(std::string(key), Value(*number, query.find(key)->origin));
    query.erase(key);
  }
  return taken;
}

class Builder {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  Result<void> add_node(const std::string& text, const Origin& origin);
  Result<void> add_service(const std::string& text, const Origin& origin);
  Config finish();

 private:
  void promote_handler_options(Service& service);
  void promote_limits(Service& service, Metadata& options);

  Problems& problems_;
  Config config_;
};

/// One node per host of the list, all made from `pattern`.
std::vector<Node> nodes_of(const std::string& hosts, const Node& pattern) {
  std::vector<Node> nodes;
  for (std::string_view host : split(hosts, ',')) {
    if (host.empty()) continue;
    Node node = pattern;
    node.name = fmt::format("node-{}", nodes.size());
    node.addr = host;
    Tls& tls = *node.dialer->tls;
    Url own;
    own.host = host;
    if (tls.server_name.empty()) tls.server_name = own.hostname();
    bool has_tls = tls.secure || !tls.fingerprint.empty() || !tls.cert_file.empty() || !tls.ca_file.empty() ||
                   !tls.server_name.empty() || tls.options;
    if (!has_tls) node.dialer->tls.reset();
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Result<void> Builder::add_node(const std::string& text, const Origin& origin) {
  auto parsed = normalize_url(text, origin, problems_);
  if (!parsed) return fail(parsed.error());
  Metadata& query = parsed->query;
  auto [connector, dialer] = split_scheme(parsed->url.scheme);
  warn_unknown_scheme(parsed->url.scheme, Kind::connector, Kind::dialer, "connector http, dialer tcp", origin,
                      problems_);

  Hop hop;
  hop.origin = origin;
  hop.name = fmt::format("hop-{}", config_.chains.empty() ? 0 : config_.chains[0].hops.size());
  auto selector = take_selector(query);
  if (!selector) return fail(selector.error());
  hop.selector = *selector;
  if (std::string value = text_of(query, {"bypass"}); !value.empty()) {
    hop.bypass = fmt::format("bypass-{}", config_.bypasses.size());
    config_.bypasses.push_back(make_bypass(hop.bypass, value, origin));
    query.erase("bypass");
  }
  if (std::string value = text_of(query, {"resolver"}); !value.empty()) {
    hop.resolver = fmt::format("resolver-{}", config_.resolvers.size());
    config_.resolvers.push_back(make_resolver(hop.resolver, value, {}, origin));
    query.erase("resolver");
  }
  if (std::string value = text_of(query, {"hosts"}); !value.empty()) {
    hop.hosts = fmt::format("hosts-{}", config_.hosts.size());
    config_.hosts.push_back(make_hosts(hop.hosts, value, origin));
    query.erase("hosts");
  }
  Metadata hop_only = take_socket_options(query, {"interface"});
  hop.metadata = options_for(query, "hop", kNodeRoles);
  for (const auto& [key, value] : hop_only.entries()) hop.metadata.set(key, value);

  Node node;
  node.origin = origin;
  auto auth = take_auth(parsed->url, query, origin);
  if (!auth) return fail(auth.error());
  Tls tls = take_tls(query, origin);
  take_client_tls(query, tls);
  Connector& upper = node.connector.emplace();
  upper.origin = origin;
  upper.type = is_known(Kind::connector, connector) ? connector : "http";
  upper.auth = *auth;
  upper.metadata = options_for(query, "connector", kNodeRoles);
  Dialer& lower = node.dialer.emplace();
  lower.origin = origin;
  lower.type = is_known(Kind::dialer, dialer) ? dialer : "tcp";
  lower.tls = tls;
  lower.metadata = options_for(query, "dialer", kNodeRoles);
  node.metadata = options_for(query, "node", kNodeRoles);
  hop.nodes = nodes_of(parsed->url.host, node);

  if (config_.chains.empty()) {
    Chain& chain = config_.chains.emplace_back();
    chain.origin = origin;
    chain.name = "chain-0";
  }
  config_.chains[0].hops.push_back(std::move(hop));
  return {};
}

void Builder::promote_limits(Service& service, Metadata& options) {
  auto pair_of = [&](std::string_view key, std::string_view in, std::string_view out) -> std::string {
    std::string a = text_of(options, {in});
    std::string b = text_of(options, {out});
    return a.empty() && b.empty() ? std::string() : fmt::format("{} {} {}", key, a, b);
  };
  auto add = [&](std::vector<Limiter>& list, std::string_view kind, TextList lines) {
    Limiter limiter;
    limiter.origin = service.origin;
    limiter.name = fmt::format("{}-{}", kind, list.size());
    limiter.limits = std::move(lines);
    return list.emplace_back(std::move(limiter)).name;
  };
  TextList lines;
  for (std::string line :
       {pair_of("$", "limiter.in", "limiter.out"), pair_of("$$", "limiter.conn.in", "limiter.conn.out")})
    if (!line.empty()) lines.push_back(std::move(line));
  if (!lines.empty()) service.limiter = add(config_.limiters, "limiter", lines);
  erase_all(options, {"limiter.in", "limiter.out", "limiter.conn.in", "limiter.conn.out"});
  if (auto count = positive(options, {"climiter"})) {
    service.climiter = add(config_.climiters, "climiter", {fmt::format("$ {}", *count)});
    options.erase("climiter");
  }
  if (auto rate = get_float(options, {"rlimiter"}); rate && *rate && **rate > 0) {
    service.rlimiter = add(config_.rlimiters, "rlimiter", {fmt::format("$ {}", **rate)});
    options.erase("rlimiter");
  }
}

/// Retries and the rules defined inline: taken from the handler's options, copies stay with listener and service.
void Builder::promote_handler_options(Service& service) {
  Metadata& options = service.handler->metadata;
  if (auto retries = positive(options, {"retries"})) {
    service.handler->retries = *retries;
    options.erase("retries");
  }
  if (std::string value = text_of(options, {"admission"}); !value.empty()) {
    service.admission = fmt::format("admission-{}", config_.admissions.size());
    config_.admissions.push_back(make_admission(service.admission, value, service.origin));
    options.erase("admission");
  }
  if (std::string value = text_of(options, {"bypass"}); !value.empty()) {
    service.bypass = fmt::format("bypass-{}", config_.bypasses.size());
    config_.bypasses.push_back(make_bypass(service.bypass, value, service.origin));
    options.erase("bypass");
  }
  if (std::string value = text_of(options, {"resolver"}); !value.empty()) {
    service.resolver = fmt::format("resolver-{}", config_.resolvers.size());
    config_.resolvers.push_back(make_resolver(service.resolver, value, text_of(options, {"prefer"}), service.origin));
    options.erase("resolver");
  }
  if (std::string value = text_of(options, {"hosts"}); !value.empty()) {
    service.hosts = fmt::format("hosts-{}", config_.hosts.size());
    config_.hosts.push_back(make_hosts(service.hosts, value, service.origin));
    options.erase("hosts");
  }
  promote_limits(service, options);
}

Result<void> Builder::add_service(const std::string& text, const Origin& origin) {
  bool needs_scheme = text.starts_with(':') || !text.contains("://");
  auto [host, rest] = cut_host((needs_scheme ? "auto://" : "") + text);
  auto parsed = normalize_url(rest, origin, problems_);
  if (!parsed) return fail(parsed.error());
  Metadata& query = parsed->query;
  auto [handler, listener] = split_scheme(parsed->url.scheme);
  warn_unknown_scheme(parsed->url.scheme, Kind::handler, Kind::listener, "handler auto, listener tcp", origin,
                      problems_);
  if (!is_known(Kind::handler, handler)) handler = "auto";
  if (!is_known(Kind::listener, listener)) listener = "tcp";
  std::vector<ForwardNode> targets = targets_of(parsed->url.path, origin);
  if (!targets.empty()) handler = handler_for_targets(handler, listener);

  auto auth = take_auth(parsed->url, query, origin);
  if (!auth) return fail(auth.error());
  Tls tls = take_tls(query, origin);
  auto selector = take_selector(query);
  if (!selector) return fail(selector.error());
  if (std::string dns = text_of(query, {"dns"}); !dns.empty()) {
    Value::List servers;
    for (std::string_view server : split(dns, ',')) servers.emplace_back(std::string(server), origin);
    query.erase("dns");
    query.set("dns", Value(std::move(servers), origin));
  }
  Metadata service_only = take_socket_options(query, {"interface", "netns", "netns.out"});

  std::vector<std::string> addresses = expand_ports(host);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    Service& service = config_.services.emplace_back();
    service.origin = origin;
    service.name = fmt::format("service-{}", config_.services.size() - 1);
    service.addr = addresses[i];
    service.handler.emplace();
    service.handler->origin = origin;
    service.handler->type = handler;
    service.handler->auth = *auth;
    service.handler->metadata = options_for(query, "handler", kServiceRoles);
    service.listener.emplace();
    service.listener->origin = origin;
    service.listener->type = listener;
    if (!tls.cert_file.empty() || !tls.key_file.empty() || !tls.ca_file.empty() || tls.options)
      service.listener->tls = tls;
    service.listener->metadata = options_for(query, "listener", kServiceRoles);
    service.metadata = options_for(query, "service", kServiceRoles);
    for (const auto& [key, value] : service_only.entries()) service.metadata.set(key, value);
    if (auto share = share_of(targets, i, addresses.size()); !share.empty()) {
      service.forwarder.emplace();
      service.forwarder->origin = origin;
      service.forwarder->selector = *selector;
      service.forwarder->nodes = std::move(share);
    }
    promote_handler_options(service);
  }
  return {};
}

Config Builder::finish() {
  if (!config_.chains.empty()) {
    for (Service& service : config_.services) {
      const std::string& type = service.listener->type;
      bool binds_remotely = type == "rtcp" || type == "rudp" || type == "runix";
      (binds_remotely ? service.listener->chain : service.handler->chain) = config_.chains[0].name;
    }
  }
  return std::move(config_);
}

/// The address and credentials of a management endpoint.
struct ManagementUrl {
  std::string addr;
  std::optional<Auth> auth;
  Metadata query;
};

Result<ManagementUrl> parse_management_url(const std::string& text, const Origin& origin) {
  Problems dropped;
  auto parsed = normalize_url(text, origin, dropped);
  if (!parsed) return fail(parsed.error().in(*origin.source));
  ManagementUrl result{parsed->url.host, std::nullopt, std::move(parsed->query)};
  if (parsed->url.user) {
    result.auth.emplace();
    result.auth->origin = origin;
    result.auth->username = parsed->url.user->username;
    result.auth->password = parsed->url.user->password;
  }
  return result;
}

/// The error with the argument's name in front, unless a value in it has already said so.
std::unexpected<Error> located(const Error& error, const Origin& origin) {
  return fail(error.text.starts_with(origin.to_string() + ":") ? error : error.in(origin.to_string()));
}

}  // namespace

Result<Config> parse_command_line(const std::vector<std::string>& services, const std::vector<std::string>& nodes,
                                  Problems& problems) {
  Builder builder(problems);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Origin origin = origin_of(fmt::format("-F #{}", i + 1));
    if (auto added = builder.add_node(nodes[i], origin); !added) return located(added.error(), origin);
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    std::string text(trim(services[i]));
    if (text.empty()) continue;
    Origin origin = origin_of(fmt::format("-L #{}", i + 1));
    if (auto added = builder.add_service(text, origin); !added) return located(added.error(), origin);
  }
  return builder.finish();
}

Result<Api> parse_api_url(const std::string& text) {
  Origin origin = origin_of("-api");
  auto parsed = parse_management_url(text, origin);
  if (!parsed) return fail(parsed.error());
  Api api;
  api.origin = origin;
  api.addr = parsed->addr;
  api.auth = parsed->auth;
  api.path_prefix = text_of(parsed->query, {"pathPrefix"});
  auto access_log = get_bool(parsed->query, {"accesslog"});
  if (!access_log) return fail(access_log.error());
  api.access_log = access_log->value_or(false);
  return api;
}

Result<Metrics> parse_metrics_url(const std::string& text) {
  Origin origin = origin_of("-metrics");
  auto parsed = parse_management_url(text, origin);
  if (!parsed) return fail(parsed.error());
  Metrics metrics;
  metrics.origin = origin;
  metrics.addr = parsed->addr;
  metrics.auth = parsed->auth;
  metrics.path = text_of(parsed->query, {"path"});
  return metrics;
}

}  // namespace gost::config
