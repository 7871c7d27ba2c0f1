#include "config/query_options.hpp"

#include "core/base64.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

namespace gost::config {

namespace {

constexpr std::size_t kMaxKeyBytes = ReadLimits{}.key_bytes;

/// The comma-separated pieces that are not empty; a leading '~' (whitelist) is taken off and reported.
TextList pieces_of(std::string_view value, bool* whitelist = nullptr) {
  if (whitelist != nullptr && value.starts_with('~')) {
    *whitelist = true;
    value.remove_prefix(1);
  }
  TextList pieces;
  for (std::string_view piece : split(value, ','))
    if (!piece.empty()) pieces.emplace_back(piece);
  return pieces;
}

}  // namespace

Result<ParsedUrl> normalize_url(std::string_view text, const Origin& origin, Problems& problems) {
  text = trim(text);
  if (text.empty()) return fail(Cause::invalid, "invalid cmd");
  bool needs_scheme = text.starts_with(':') || !text.contains("://");
  auto url = parse_url((needs_scheme ? "auto://" : "") + std::string(text));
  if (!url) return fail(url.error());
  if (url->scheme == "https") url->scheme = "http+tls";
  for (const std::string& piece : url->dropped)
    problems.push_back(
        {Severity::warning, origin,
         fmt::format("the query part '{}' is ignored: it contains ';' or an incomplete %-escape (write "
                     "%3B for ';' and %25 for '%')",
                     piece)});
  ParsedUrl parsed{std::move(*url), {}, origin};
  for (const auto& [key, value] : parsed.url.query) {
    if (key.size() > kMaxKeyBytes)
      return fail(Cause::invalid, fmt::format("an option name in the query is longer than {} bytes", kMaxKeyBytes));
    if (parsed.query.find(key) == nullptr) parsed.query.set(key, Value(value, origin));
  }
  return parsed;
}

std::string text_of(const Metadata& query, std::initializer_list<std::string_view> keys) {
  const Value* value = query.find(keys);
  return value == nullptr ? std::string() : value->text();
}

std::optional<std::int64_t> positive(const Metadata& query, std::initializer_list<std::string_view> keys) {
  auto number = parse_int(text_of(query, keys));
  return number && *number > 0 ? number : std::nullopt;
}

void erase_all(Metadata& query, std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys) query.erase(key);
}

Result<std::optional<Selector>> take_selector(Metadata& query) {
  Selector selector;
  selector.strategy = text_of(query, {"strategy"});
  auto max_fails = get_int(query, {"maxFails", "max_fails"});
  if (!max_fails) return fail(max_fails.error());
  auto fail_timeout = get_duration(query, {"failTimeout", "fail_timeout"});
  if (!fail_timeout) return fail(fail_timeout.error());
  selector.max_fails = max_fails->value_or(0);
  selector.fail_timeout = fail_timeout->value_or(Duration::zero());
  bool present = !selector.strategy.empty() || selector.max_fails > 0 || selector.fail_timeout > Duration::zero();
  if (!present) return std::nullopt;
  if (selector.strategy.empty()) selector.strategy = "round";
  if (selector.max_fails <= 0) selector.max_fails = 1;
  if (selector.fail_timeout <= Duration::zero()) selector.fail_timeout = std::chrono::seconds(30);
  erase_all(query, {"strategy", "maxFails", "max_fails", "failTimeout", "fail_timeout"});
  return selector;
}

Result<std::optional<Auth>> take_auth(const Url& url, Metadata& query, const Origin& origin) {
  std::string encoded = text_of(query, {"auth"});
  query.erase("auth");
  std::optional<Auth> auth;
  if (url.user) {
    auth.emplace();
    auth->username = url.user->username;
    auth->password = url.user->password;
  } else if (!encoded.empty()) {
    auto decoded = base64_decode(encoded);
    if (!decoded) return fail(decoded.error().in("auth"));
    std::size_t colon = decoded->find(':');
    auth.emplace();
    auth->username = decoded->substr(0, colon);
    if (colon != std::string::npos) auth->password = decoded->substr(colon + 1);
  }
  if (auth) auth->origin = origin;
  return auth;
}

Tls take_tls(Metadata& query, const Origin& origin) {
  Tls tls;
  tls.origin = origin;
  tls.cert_file = text_of(query, {"tls.certFile", "certFile", "cert"});
  tls.key_file = text_of(query, {"tls.keyFile", "keyFile", "key"});
  tls.ca_file = text_of(query, {"tls.caFile", "caFile", "ca"});
  erase_all(query,
            {"tls.certFile", "certFile", "cert", "tls.keyFile", "keyFile", "key", "tls.caFile", "caFile", "ca"});
  if (parse_bool(text_of(query, {"tls.noktls", "noktls"})).value_or(false)) {
    tls.options.emplace().origin = origin;
    tls.options->noktls = true;
  }
  erase_all(query, {"tls.noktls", "noktls"});
  return tls;
}

void take_client_tls(Metadata& query, Tls& tls) {
  tls.secure = parse_bool(text_of(query, {"tls.secure", "secure"})).value_or(false);
  tls.server_name = text_of(query, {"tls.servername", "serverName"});
  tls.fingerprint = text_of(query, {"tls.fingerprint"});
  erase_all(query, {"tls.secure", "secure", "tls.servername", "serverName", "tls.fingerprint"});
}

Metadata options_for(const Metadata& query, std::string_view role, std::initializer_list<std::string_view> roles) {
  Metadata options;
  auto strip = [](std::string_view key, std::string_view prefix) -> std::optional<std::string_view> {
    bool matches = key.size() > prefix.size() + 1 && key.starts_with(prefix) && key[prefix.size()] == '.';
    return matches ? std::optional(key.substr(prefix.size() + 1)) : std::nullopt;
  };
  for (const auto& [key, value] : query.entries()) {
    bool prefixed = false;
    for (std::string_view other : roles) prefixed = prefixed || strip(key, other);
    if (!prefixed) options.set(key, value);
  }
  for (const auto& [key, value] : query.entries())
    if (auto rest = strip(key, role)) options.set(std::string(*rest), value);
  return options;
}

Admission make_admission(std::string name, std::string_view value, const Origin& origin) {
  Admission admission;
  admission.origin = origin;
  admission.name = std::move(name);
  admission.matchers = pieces_of(value, &admission.whitelist);
  return admission;
}

Bypass make_bypass(std::string name, std::string_view value, const Origin& origin) {
  Bypass bypass;
  bypass.origin = origin;
  bypass.name = std::move(name);
  bypass.matchers = pieces_of(value, &bypass.whitelist);
  return bypass;
}

Resolver make_resolver(std::string name, std::string_view value, const std::string& prefer, const Origin& origin) {
  Resolver resolver;
  resolver.origin = origin;
  resolver.name = std::move(name);
  for (std::string& addr : pieces_of(value)) {
    Nameserver server;
    server.origin = origin;
    server.addr = std::move(addr);
    server.prefer = prefer;
    resolver.nameservers.push_back(std::move(server));
  }
  return resolver;
}

Hosts make_hosts(std::string name, std::string_view value, const Origin& origin) {
  Hosts hosts;
  hosts.origin = origin;
  hosts.name = std::move(name);
  for (const std::string& piece : pieces_of(value)) {
    std::size_t colon = piece.find(':');
    if (colon == std::string::npos) continue;
    HostMapping mapping;
    mapping.origin = origin;
    mapping.hostname = piece.substr(0, colon);
    mapping.ip = piece.substr(colon + 1);
    hosts.mappings.push_back(std::move(mapping));
  }
  return hosts;
}

}  // namespace gost::config
