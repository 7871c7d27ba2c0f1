// HostMatcher: the matchers of a bypass (config.md §3.4): which hosts and ports are meant.
#pragma once

#include "core/error.hpp"
#include "policy/ip_ranges.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gost {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
};

/// True if `pattern` matches all of `text`: `*` stands for any number of characters, dots included, `?` for one.
bool glob_matches(std::string_view pattern, std::string_view text);

/// A host as hosts are compared: in lower case, without the dot at the end; an IP literal in its usual form, IPv4 if
/// it is IPv4-mapped.
std::string comparable_host(std::string_view host);

/// Any of many matchers. Each is, first that fits: a CIDR block; a glob (contains `*` or `?`) on the host, with an
/// optional port or range of ports; an IP address or a range of them "a-b"; an address "host[:port|:min-max]", where
/// ".example.org" means that domain and everything below it. Upper and lower case are the same. CIDR blocks and
/// ranges never match a name.
class HostMatcher {
 public:
  /// Adds one matcher. Errors: it is empty, or means nothing (a bad CIDR, port or range).
  Result<> add(std::string_view matcher);
  /// To be called once after the last add() and before the first matches().
  void finish();

  /// `host` is a name or an IP literal without brackets.
  bool matches(std::string_view host, std::uint16_t port) const;
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  struct Glob {
    std::string pattern;
    PortRange ports;
  };
  /// The ports for a host itself, and for it and everything below it.
  struct Entry {
    std::vector<PortRange> itself;
    std::vector<PortRange> domain;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  bool matches_entry(std::string_view host, std::uint16_t port) const;

  std::size_t size_ = 0;
  std::vector<IpRange> pending_ranges_;
  IpRanges ranges_;
  std::vector<Glob> globs_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
};

}  // namespace gost
