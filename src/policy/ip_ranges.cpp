#include "policy/ip_ranges.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace gost {

namespace {

/// The address made of `bytes` (4 or 16).
IpAddress address_of(Bytes bytes) {
  if (bytes.size() == 4) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  std::array<std::uint8_t, 16> six{};
  std::ranges::copy(bytes, six.begin());
  return IpAddress::v6(six);
}

/// The form in which addresses are compared: unmapped, without a zone.
IpAddress plain(const IpAddress& ip) {
  return address_of(ip.unmapped().bytes());
}

/// IPv4 before IPv6, then by value.
auto order(const IpAddress& ip) {
  return std::tuple(ip.is_v6(), ip);
}

bool before(const IpAddress& a, const IpAddress& b) {
  return order(a) < order(b);
}

/// `ip` with every bit behind the first `kept` ones set to `value`.
IpAddress fill(const IpAddress& ip, std::size_t kept, bool value) {
  std::array<std::uint8_t, 16> bytes{};
  Bytes from = ip.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t first_bit = i * 8;
    unsigned mask = kept <= first_bit ? 0U : kept >= first_bit + 8 ? 0xffU : 0xffU << (8 - (kept - first_bit));
    unsigned byte = value ? from[i] | (~mask & 0xffU) : from[i] & mask;
    bytes[i] = static_cast<std::uint8_t>(byte);
  }
  return address_of(Bytes(bytes).first(from.size()));
}

}  // namespace

std::optional<IpRange> parse_cidr(std::string_view text) {
  std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto ip = IpAddress::parse(text.substr(0, slash));
  std::string_view digits = text.substr(slash + 1);
  auto bits = parse_int(digits);
  if (!ip || !bits || digits.front() == '+' || digits.front() == '-') return std::nullopt;
  if (*bits > (ip->is_v4() ? 32 : 128)) return std::nullopt;
  auto kept = static_cast<std::size_t>(*bits);
  if (ip->is_v4_mapped() && kept >= 96) {
    ip = ip->unmapped();
    kept -= 96;
  }
  return IpRange{fill(*ip, kept, false), fill(*ip, kept, true)};
}

std::optional<IpRange> parse_ip_range(std::string_view text) {
  if (auto ip = IpAddress::parse(text)) return IpRange{plain(*ip), plain(*ip)};
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto first = IpAddress::parse(trim(text.substr(0, dash)));
  auto last = IpAddress::parse(trim(text.substr(dash + 1)));
  if (!first || !last) return std::nullopt;
  IpRange range{plain(*first), plain(*last)};
  if (range.first.is_v4() != range.last.is_v4() || before(range.last, range.first)) return std::nullopt;
  return range;
}

IpRanges::IpRanges(std::vector<IpRange> ranges) {
  std::ranges::sort(ranges, before, &IpRange::first);
  for (const IpRange& range : ranges) {
    bool overlaps = !ranges_.empty() && !before(ranges_.back().last, range.first);
    if (!overlaps) {
      ranges_.push_back(range);
    } else if (before(ranges_.back().last, range.last)) {
      ranges_.back().last = range.last;
    }
  }
}

bool IpRanges::contains(const IpAddress& ip) const {
  IpAddress wanted = plain(ip);
  auto after = std::ranges::upper_bound(ranges_, wanted, before, &IpRange::first);
  return after != ranges_.begin() && !before(std::prev(after)->last, wanted);
}

}  // namespace gost
