#include "config/check_rules.hpp"

#include "core/address.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gost::config {

namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trim(line)).empty()) {
    words.push_back(line.substr(0, line.find_first_of(" \t")));
    line.remove_prefix(words.back().size());
  }
  return words;
}

bool is_key(std::string_view key) {
  if (key == "$" || key == "$$") return true;
  std::size_t slash = key.find('/');
  auto ip = IpAddress::parse(key.substr(0, slash));
  if (!ip || slash == std::string_view::npos) return ip.has_value();
  auto bits = parse_int(key.substr(slash + 1));
  return bits && *bits >= 0 && *bits <= (ip->is_v4() ? 32 : 128);
}

/// One or more of NUMBER UNIT with an upper-case unit, powers of 1024: "1MB500KB", "1.5MiB".
bool is_size(std::string_view text) {
  constexpr std::array<std::string_view, 13> kUnits{"B",   "KB",  "MB",  "GB",  "TB",  "PB", "EB",
                                                    "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (text.empty()) return false;
  while (!text.empty()) {
    std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    std::string_view digits = text.substr(0, number);
    text.remove_prefix(number);
    std::size_t length = std::min(text.find_first_of("0123456789."), text.size());
    bool valid_number = !digits.empty() && digits != "." && std::ranges::count(digits, '.') <= 1;
    if (!valid_number || std::ranges::find(kUnits, text.substr(0, length)) == kUnits.end()) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_number(std::string_view text, bool fraction) {
  if (!fraction) {
    auto number = parse_int(text);
    return number && *number > 0;
  }
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0;
}

std::string bad_key(std::string_view key) {
  return fmt::format("'{}' is not $, $$, an IP address or a CIDR", key);
}

template <class Bad>
void check_limits(const CheckContext& context, std::string_view kind, const std::vector<Limiter>& list, Bad bad) {
  for (const Limiter& limiter : list)
    for (const std::string& line : limiter.limits)
      if (auto why = bad(line))
        context.error(limiter.origin, fmt::format("{} '{}', line '{}': {}", kind, limiter.name, line, *why));
}

void check_authers(const CheckContext& context) {
  for (const Auther& auther : context.config.authers) {
    check_loaders(context, auther.origin, fmt::format("auther '{}'", auther.name), auther.loaders);
    bool external = auther.loaders.file || auther.loaders.redis || auther.loaders.http || auther.loaders.plugin;
    if (auther.auths.empty() && !external)
      context.warning(auther.origin, fmt::format("auther '{}' has no users: everybody is refused", auther.name));
    for (const Auth& auth : auther.auths) {
      if (auth.username.empty())
        context.warning(auth.origin,
                        fmt::format("an entry of auther '{}' has no username and is ignored", auther.name));
      else if (auth.password.empty())
        context.warning(
            auth.origin,
            fmt::format("user '{}' has no password: only an empty password is accepted (GOST accepts any)",
                        auth.username));
    }
  }
}

void check_handler_auth(const CheckContext& context, const Handler& handler) {
  if (!handler.auth) return;
  const Auth& auth = *handler.auth;
  bool named = !handler.auther.empty() || !handler.authers.empty();
  if (named)
    context.warning(auth.origin, "'auth' has no effect because the handler names an auther; remove one of them");
  else if (auth.username.empty() && !auth.password.empty())
    context.error(
        auth.origin,
        "'auth' has a password but no username, so nobody would be asked for it; add a username or remove 'auth'");
  else if (auth.username.empty())
    context.warning(auth.origin, "'auth' has no username: this means no authentication at all");
  else if (auth.password.empty() && canonical_name(Kind::handler, handler.type) != "socks4")
    context.warning(auth.origin,
                    fmt::format("user '{}' has no password: only an empty password is accepted (GOST accepts any)",
                                auth.username));
  if (!auth.file.empty())
    context.warning(auth.origin, "'auth.file' has no effect in a handler; define an auther with 'file' and name it");
}

void check_socks4_auth(const CheckContext& context, const Handler& handler) {
  bool socks4 = canonical_name(Kind::handler, handler.type) == "socks4";
  if (socks4 && handler.auth && !handler.auth->password.empty())
    context.warning(handler.auth->origin,
                    "SOCKS4 carries no password: a user with a password can never pass; remove the password");
}

/// What to do about TLS options of a listener or a dialer that does not encrypt.
std::string remedy(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEncrypted{
      {{"tcp", "tls"}, {"mtcp", "mtls"}, {"ws", "wss"}, {"mws", "mwss"}}};
  const auto* other = std::ranges::find(kEncrypted, type, &std::pair<std::string_view, std::string_view>::first);
  return other == kEncrypted.end() ? "remove them" : fmt::format("use '{}'", other->second);
}

void check_tls(const CheckContext& context, const Service& service) {
  if (service.handler && service.handler->tls) {
    const Handler& handler = *service.handler;
    context.require(Feature::handler_tls, handler.tls->origin, "'tls' of a handler");
    if (!negotiates_tls(Kind::handler, handler.type, handler.metadata))
      context.warning(handler.tls->origin,
                      fmt::format("TLS options are configured but the \"{}\" handler does not negotiate TLS and will "
                                  "ignore them; remove them, or put them into 'tls' of the listener",
                                  canonical_name(Kind::handler, handler.type)));
  }
  if (!service.listener || !service.listener->tls) return;
  std::string_view type = canonical_name(Kind::listener, service.listener->type);
  if (!encrypts(Kind::listener, type) && context.availability.listeners.contains(type))
    context.warning(service.listener->tls->origin,
                    fmt::format("TLS certificate options are configured but the \"{}\" listener does not use TLS and "
                                "will ignore them; {}",
                                type, remedy(type)));
}

bool verifies(const Tls* tls) {
  return tls != nullptr && (tls->secure || !tls->ca_file.empty() || !tls->fingerprint.empty());
}

/// A node that is to be verified, and would not be.
void check_tls(const CheckContext& context, const Node& node) {
  const Connector connector = node.connector.value_or(Connector());
  const Dialer dialer = node.dialer.value_or(Dialer());
  std::string_view above = canonical_name(Kind::connector, connector.type);
  std::string_view below = canonical_name(Kind::dialer, dialer.type);
  if (!context.availability.connectors.contains(above) || !context.availability.dialers.contains(below)) return;
  const Tls* asked = dialer.tls ? &*dialer.tls : nullptr;
  const bool encrypted = encrypts(Kind::dialer, below);
  const bool negotiated = negotiates_tls(Kind::connector, above, connector.metadata);
  const bool verified = (encrypted && verifies(asked)) || (negotiated && verifies(negotiated_tls(node)));
  if (!verified && (verifies(asked) || (connector.tls && verifies(&*connector.tls)))) {
    context.error(
        node.origin,
        fmt::format("node '{}' is to be verified (secure, ca or tls.fingerprint), but {}; {}", node.name,
                    encrypted           ? "they are not where its TLS is"
                    : above == "socks5" ? "notls=true switches off its TLS"
                                        : fmt::format("connector '{}' over dialer '{}' has no TLS", above, below),
                    encrypted ? "put them into 'tls' of the dialer" : remedy(below)));
  } else if (!encrypted && !negotiated && asked != nullptr &&
             !(asked->cert_file.empty() && asked->key_file.empty())) {
    context.warning(node.origin,
                    fmt::format("the certificate of node '{}' is ignored: connector '{}' over dialer '{}' "
                                "has no TLS; {}",
                                node.name, above, below, remedy(below)));
  }
}

void check_log(const CheckContext& context, const Log& log) {
  constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "fatal"};
  std::vector<std::string_view> levels(kLevels.begin(), kLevels.end());
  if (!log.level.empty() && std::ranges::find(levels, log.level) == levels.end())
    context.warning(log.origin,
                    fmt::format("unknown log level '{}': info is used.{}", log.level, suggestion(log.level, levels)));
  if (!log.format.empty() && log.format != "json" && log.format != "text")
    context.warning(log.origin, fmt::format("unknown log format '{}': json is used; write json or text", log.format));
  constexpr std::array<std::string_view, 4> kStreams{"stderr", "stdout", "none", "null"};
  bool file = !log.output.empty() && std::ranges::find(kStreams, log.output) == kStreams.end();
  if (log.rotation && !file)
    context.warning(log.rotation->origin, "'rotation' has no effect: 'output' names no file");
}

void check_sections(const CheckContext& context) {
  auto ignored = [&](const auto& section, Feature feature, std::string_view name) {
    if (section && !context.availability.has(feature))
      context.warning(section->origin, fmt::format("'{}' is not available in this build and is ignored", name));
  };
  ignored(context.config.api, Feature::api, "api");
  ignored(context.config.metrics, Feature::metrics, "metrics");
  ignored(context.config.profiling, Feature::profiling, "profiling");
  if (context.config.log) check_log(context, *context.config.log);
  for (const Logger& logger : context.config.loggers)
    if (logger.log) check_log(context, *logger.log);
  if (context.config.services.empty()) context.warning({}, "there is no service: nothing will listen");
}

}  // namespace

bool encrypts(Kind kind, std::string_view type) {
  constexpr std::array<std::string_view, 4> kEncrypting{"mtls", "mwss", "tls", "wss"};
  return std::ranges::find(kEncrypting, canonical_name(kind, type)) != kEncrypting.end();
}

bool negotiates_tls(Kind kind, std::string_view type, const Metadata& metadata) {
  std::string_view name = canonical_name(kind, type);
  auto notls = get_bool(metadata, {"notls"});
  return (name == "socks5" || name == "auto") && !(notls && notls->value_or(false));
}

const Tls* negotiated_tls(const Node& node) {
  if (node.connector && node.connector->tls) return &*node.connector->tls;
  bool of_dialer = node.dialer && node.dialer->tls && !encrypts(Kind::dialer, node.dialer->type);
  return of_dialer ? &*node.dialer->tls : nullptr;
}

void check_loaders(const CheckContext& context, const Origin& at, std::string_view what, const Loaders& loaders) {
  if (loaders.redis) context.require(Feature::redis, at, fmt::format("reading {} from redis", what));
  if (loaders.http) context.require(Feature::http_sources, at, fmt::format("reading {} over http", what));
  if (loaders.plugin) context.require(Feature::plugins, at, fmt::format("a plugin for {}", what));
  if (loaders.file && loaders.file->path.empty()) context.error(at, fmt::format("{}: 'file' has no 'path'", what));
  if (loaders.reload < Duration::zero()) context.error(at, fmt::format("{}: 'reload' is negative", what));
}

std::optional<std::string> bad_traffic_limit(std::string_view line) {
  auto words = words_of(line);
  if (words.size() < 2 || words.size() > 4) return "write KEY IN [OUT [BURST]], such as '$ 10MB 20MB'";
  if (!is_key(words[0])) return bad_key(words[0]);
  for (std::size_t i = 1; i < words.size(); ++i)
    if (!is_size(words[i]))
      return fmt::format(
          "'{}' is no size with an upper-case unit, such as 500KB or 10MB; GOST would not limit at all", words[i]);
  return std::nullopt;
}

std::optional<std::string> bad_count_limit(std::string_view line, bool fraction) {
  auto words = words_of(line);
  if (words.size() != 2) return "write KEY NUMBER, such as '$$ 10'";
  if (!is_key(words[0])) return bad_key(words[0]);
  if (!is_number(words[1], fraction))
    return fmt::format("'{}' is no {}number greater than 0", words[1], fraction ? "" : "whole ");
  return std::nullopt;
}

void check_rules(const CheckContext& context) {
  const Config& config = context.config;
  check_limits(context, "limiter", config.limiters, bad_traffic_limit);
  check_limits(context, "climiter", config.climiters, [](std::string_view l) { return bad_count_limit(l, false); });
  check_limits(context, "rlimiter", config.rlimiters, [](std::string_view l) { return bad_count_limit(l, true); });
  for (const Limiter& limiter : config.limiters)
    for (const std::string& line : limiter.limits)
      if (line.starts_with("$  ") || line.starts_with("$$  "))
        context.warning(limiter.origin, fmt::format("limiter '{}', line '{}': a lone value limits what clients send "
                                                    "(IN); give limiter.in too, or it is not the direction you meant",
                                                    limiter.name, line));
  check_authers(context);
  for (const Service& service : config.services) {
    if (service.handler) {
      check_handler_auth(context, *service.handler);
      check_socks4_auth(context, *service.handler);
    }
    check_tls(context, service);
  }
  for (const Chain& chain : config.chains)
    for (const Hop& hop : chain.hops)
      for (const Node& node : hop.nodes) check_tls(context, node);
  for (const Hop& hop : config.hops)
    for (const Node& node : hop.nodes) check_tls(context, node);
  check_sections(context);
}

}  // namespace gost::config
