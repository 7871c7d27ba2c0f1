#include "config/port_range.hpp"

#include "core/address.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace gost::config {

namespace {

constexpr std::int64_t kMaxPort = 65535;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::string> expand_ports(std::string_view address) {
  std::vector<std::string> verbatim{std::string(address)};
  std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return verbatim;
  std::string_view host = address.substr(0, colon);
  std::string_view ports = address.substr(colon + 1);
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return verbatim;
  std::size_t dash = ports.find('-');
  std::string_view low = ports.substr(0, dash);
  std::string_view high = dash == std::string_view::npos ? low : ports.substr(dash + 1);
  if (!all_digits(low) || !all_digits(high)) return verbatim;
  auto first = parse_int(low);
  auto last = parse_int(high);
  if (!first || !last || *first > *last || *last > kMaxPort) return verbatim;
  std::vector<std::string> addresses;
  for (std::int64_t port = *first; port <= *last; ++port)
    addresses.push_back(join_host_port(host, std::to_string(port)));
  return addresses;
}

}  // namespace gost::config
