// IpRanges: a set of IP addresses given as ranges and CIDR blocks, looked up by binary search.
#pragma once

#include "core/address.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace gost {

struct IpRange {
  IpAddress first;
  IpAddress last;  ///< included; of the same family, not before `first`
};

/// "10.0.0.0/8", "2001:db8::/32": the addresses of the block; bits beyond the prefix do not count. Nothing if `text`
/// is no CIDR block.
std::optional<IpRange> parse_cidr(std::string_view text);
/// "10.0.0.1" or "10.0.0.1-10.0.0.9". Nothing if `text` is neither.
std::optional<IpRange> parse_ip_range(std::string_view text);

/// IPv4-mapped IPv6 addresses are their IPv4 addresses; zones do not count.
class IpRanges {
 public:
  IpRanges() = default;
  explicit IpRanges(std::vector<IpRange> ranges);

  bool contains(const IpAddress& ip) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<IpRange> ranges_;  ///< ascending, without overlaps
};

}  // namespace gost
