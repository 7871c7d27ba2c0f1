#include "config/go_url.hpp"

#include "core/address.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gost::config {

namespace {

enum class Part { host, zone, userinfo, path, query };

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool allowed_in_host(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-_.~!$&'()*+,;=:[]<>\"").contains(c);
}

/// A host may escape only what is no ASCII, and '%' itself; a zone also a blank and the like.
bool escape_allowed(Part part, std::string_view escape) {
  if (part == Part::host) return hex_value(escape[1]) >= 8 || escape == "%25";
  if (part != Part::zone) return true;
  auto byte = static_cast<char>(hex_value(escape[1]) << 4 | hex_value(escape[2]));
  return escape == "%25" || byte == ' ' || allowed_in_host(byte) || hex_value(escape[1]) >= 8;
}

Result<std::string> unescape(std::string_view text, Part part) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      std::string_view escape = text.substr(i, 3);
      bool complete = escape.size() == 3 && hex_value(escape[1]) >= 0 && hex_value(escape[2]) >= 0;
      if (!complete || !escape_allowed(part, escape))
        return fail(Cause::invalid, "invalid URL escape " + go_quote(escape));
      result += static_cast<char>(hex_value(escape[1]) << 4 | hex_value(escape[2]));
      i += 2;
    } else if (c == '+' && part == Part::query) {
      result += ' ';
    } else if ((part == Part::host || part == Part::zone) && (c & 0x80) == 0 && !allowed_in_host(c)) {
      return fail(Cause::invalid, fmt::format("invalid character {} in host name", go_quote(text.substr(i, 1))));
    } else {
      result += c;
    }
  }
  return result;
}

Result<UserInfo> parse_userinfo(std::string_view text) {
  auto valid = [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-._:~!$&'()*+,;=%@").contains(c);
  };
  if (!std::ranges::all_of(text, valid)) return fail(Cause::invalid, "net/url: invalid userinfo");
  std::size_t colon = text.find(':');
  auto username = unescape(text.substr(0, colon), Part::userinfo);
  if (!username) return fail(username.error());
  if (colon == std::string_view::npos) return UserInfo{*username, {}};
  auto password = unescape(text.substr(colon + 1), Part::userinfo);
  if (!password) return fail(password.error());
  return UserInfo{*username, *password};
}

bool valid_optional_port(std::string_view text) {
  if (text.empty()) return true;
  return text[0] == ':' && std::ranges::all_of(text.substr(1), is_digit);
}

std::unexpected<Error> bad_port(std::string_view port) {
  return fail(Cause::invalid, fmt::format("invalid port {} after host", go_quote(port)));
}

Result<std::string> parse_bracketed_host(std::string_view text) {
  std::size_t close = text.rfind(']');
  if (close == std::string_view::npos) return fail(Cause::invalid, "missing ']' in host");
  std::string_view port = text.substr(close + 1);
  if (!valid_optional_port(port)) return bad_port(port);
  std::size_t zone = std::min(text.find("%25"), close);
  auto host = unescape(text.substr(0, zone), Part::host);
  if (!host) return host;
  auto rest = unescape(text.substr(zone, close - zone), Part::zone);
  if (!rest) return rest;
  return *host + *rest + std::string(text.substr(close));
}

Result<std::string> parse_host(std::string_view scheme, std::string_view text) {
  if (text.starts_with('[')) return parse_bracketed_host(text);
  // Go 1.26 tolerates more than one colon, as in a list of hosts, except in http and https URLs.
  bool strict = scheme == "http" || scheme == "https";
  if (std::size_t colon = strict ? text.find(':') : text.rfind(':'); colon != std::string_view::npos)
    if (!valid_optional_port(text.substr(colon))) return bad_port(text.substr(colon));
  return unescape(text, Part::host);
}

/// Splits "scheme:rest"; a text that does not begin with a letter has no scheme.
Result<std::pair<std::string, std::string_view>> split_scheme(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ':') {
      if (i == 0) return fail(Cause::invalid, "missing protocol scheme");
      return std::pair{to_lower(text.substr(0, i)), text.substr(i + 1)};
    }
    bool later = is_digit(c) || c == '+' || c == '-' || c == '.';
    if (!is_alpha(c) && !(i > 0 && later)) break;
  }
  return std::pair{std::string{}, text};
}

void parse_query(std::string_view text, Url& url) {
  for (std::string_view piece : split(text, '&')) {
    if (piece.empty()) continue;
    std::size_t equals = piece.find('=');
    auto key = unescape(piece.substr(0, equals), Part::query);
    auto value =
        unescape(equals == std::string_view::npos ? std::string_view{} : piece.substr(equals + 1), Part::query);
    if (!key || !value || piece.contains(';')) {
      url.dropped.emplace_back(piece);
      continue;
    }
    if (std::ranges::find(url.query, *key, &std::pair<std::string, std::string>::first) == url.query.end())
      url.query.emplace_back(*key, *value);
  }
}

Result<void> parse_authority(std::string_view text, Url& url) {
  std::size_t at = text.rfind('@');
  auto host = parse_host(url.scheme, at == std::string_view::npos ? text : text.substr(at + 1));
  if (!host) return fail(host.error());
  url.host = *host;
  if (at == std::string_view::npos) return {};
  auto user = parse_userinfo(text.substr(0, at));
  if (!user) return fail(user.error());
  url.user = *user;
  return {};
}

Result<Url> parse_parts(std::string_view text) {
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
    return fail(Cause::invalid, "net/url: invalid control character in URL");
  auto split_text = split_scheme(text);
  if (!split_text) return fail(split_text.error());
  Url url;
  url.scheme = split_text->first;
  std::string_view rest = split_text->second;
  if (std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    parse_query(rest.substr(mark + 1), url);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/')) {
    if (!url.scheme.empty()) return url;  // opaque, such as "mailto:x"
    if (rest.substr(0, rest.find('/')).contains(':'))
      return fail(Cause::invalid, "first path segment in URL cannot contain colon");
  }
  if (rest.starts_with("//") && (!url.scheme.empty() || !rest.starts_with("///"))) {
    std::string_view authority = rest.substr(2, rest.find('/', 2) - 2);
    rest.remove_prefix(2 + authority.size());
    if (auto parsed = parse_authority(authority, url); !parsed) return fail(parsed.error());
  }
  if (auto path = unescape(rest, Part::path); !path) return fail(path.error());
  url.path = rest;
  return url;
}

}  // namespace

std::string Url::hostname() const {
  if (host.starts_with('[')) {
    std::size_t close = host.find(']');
    if (close != std::string::npos) return host.substr(1, close - 1);
  }
  std::size_t colon = host.rfind(':');
  return host.substr(0, colon);
}

Result<Url> parse_url(std::string_view text) {
  std::string_view without_fragment = text.substr(0, text.find('#'));
  auto url = parse_parts(without_fragment);
  if (!url) return fail(url.error().in("parse " + go_quote(without_fragment)));
  return url;
}

std::string go_quote(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace gost::config
