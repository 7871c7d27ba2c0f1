#include "policy/host_matcher.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <optional>

namespace gost {

namespace {

std::unexpected<Error> bad(std::string_view matcher, std::string_view why) {
  return fail(Cause::invalid, "matcher '" + std::string(matcher) + "': " + std::string(why));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  auto port = parse_int(text);
  if (!port || *port < 0 || *port > 65535 || text.front() == '+' || text.front() == '-') return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<PortRange> parse_ports(std::string_view text) {
  std::size_t dash = text.find('-');
  auto first = parse_port(text.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

struct HostPorts {
  std::string_view host;
  PortRange ports;
};

/// "host", "host:80", "host:80-90", "[v6]", "[v6]:80"; a bare IPv6 address has no port.
Result<HostPorts> split_host_ports(std::string_view matcher) {
  std::string_view host = matcher;
  std::string_view rest;
  if (matcher.starts_with('[')) {
    std::size_t end = matcher.find(']');
    if (end == std::string_view::npos) return bad(matcher, "']' is missing");
    host = matcher.substr(1, end - 1);
    rest = matcher.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad(matcher, "only ':' and ports may follow ']'");
  } else if (std::ranges::count(matcher, ':') == 1) {
    host = matcher.substr(0, matcher.find(':'));
    rest = matcher.substr(host.size());
  }
  if (host.empty()) return bad(matcher, "the host is missing; write '*:PORT' for all hosts");
  if (rest.empty()) return HostPorts{host, {}};
  auto ports = parse_ports(rest.substr(1));
  if (!ports) return bad(matcher, "behind ':' a port or a range of ports 'min-max' must follow");
  return HostPorts{host, *ports};
}

bool includes(const std::vector<PortRange>& ranges, std::uint16_t port) {
  return std::ranges::any_of(ranges, [port](const PortRange& it) { return it.first <= port && port <= it.last; });
}

/// Neither hosts nor matchers contain these; a matcher that does is a mistake (such as two matchers on one line).
bool has_impossible_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ',' || c == '{' || c == '}' || c == '\\';
  });
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last one passed, and how much of the text it has taken
  std::size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string comparable_host(std::string_view host) {
  if (auto ip = IpAddress::parse(host)) return ip->unmapped().to_string();
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

Result<> HostMatcher::add(std::string_view matcher) {
  matcher = trim(matcher);
  if (matcher.empty()) return bad(matcher, "is empty");
  bool glob = matcher.find_first_of("*?") != std::string_view::npos;
  if (matcher.contains('/')) {
    auto block = parse_cidr(matcher);
    if (!block) return bad(matcher, "is not a CIDR block such as '10.0.0.0/8'");
    pending_ranges_.push_back(*block);
  } else if (auto range = glob ? std::nullopt : parse_ip_range(matcher)) {
    pending_ranges_.push_back(*range);
  } else if (has_impossible_characters(matcher)) {
    return bad(matcher, "is neither an address, a range nor a pattern with '*' and '?'; write one matcher a line");
  } else {
    std::size_t dash = matcher.find('-');
    if (!glob && dash != std::string_view::npos && IpAddress::parse(matcher.substr(0, dash)))
      return bad(matcher, "is not a range of addresses 'first-last' of one family, in ascending order");
    auto parts = split_host_ports(matcher);
    if (!parts) return fail(parts.error());
    bool domain = parts->host.starts_with('.');
    std::string host = glob ? to_lower(parts->host) : comparable_host(parts->host.substr(domain ? 1 : 0));
    if (host.empty()) return bad(matcher, "the domain is missing");
    if (glob) {
      globs_.push_back({std::move(host), parts->ports});
    } else {
      Entry& entry = entries_[std::move(host)];
      (domain ? entry.domain : entry.itself).push_back(parts->ports);
    }
  }
  ++size_;
  return {};
}

void HostMatcher::finish() {
  ranges_ = IpRanges(std::move(pending_ranges_));
  pending_ranges_.clear();
}

bool HostMatcher::matches(std::string_view given, std::uint16_t port) const {
  std::string host = comparable_host(given);
  if (!ranges_.empty())
    if (auto ip = IpAddress::parse(host); ip && ranges_.contains(*ip)) return true;
  if (matches_entry(host, port)) return true;
  return std::ranges::any_of(globs_, [&](const Glob& glob) {
    return glob.ports.first <= port && port <= glob.ports.last && glob_matches(glob.pattern, host);
  });
}

bool HostMatcher::matches_entry(std::string_view host, std::uint16_t port) const {
  if (entries_.empty()) return false;
  auto found = entries_.find(host);
  if (found != entries_.end() && includes(found->second.itself, port)) return true;
  for (;;) {
    if (found != entries_.end() && includes(found->second.domain, port)) return true;
    std::size_t dot = host.find('.');
    if (dot == std::string_view::npos) return false;
    host.remove_prefix(dot + 1);
    found = entries_.find(host);
  }
}

}  // namespace gost
