// -L and -F: the first line is a service, the others are nodes.
#include "config_round_trip.hpp"

#include "config/command_line.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

namespace {

/// The number that ends (`forward` false) or begins a text; 0 if there is none.
std::int64_t number_at(std::string_view text, bool forward) {
  constexpr std::string_view kDigits = "0123456789";
  std::size_t cut = forward ? text.find_first_not_of(kDigits) : text.find_last_not_of(kDigits) + 1;
  return gost::parse_int(forward ? text.substr(0, cut) : text.substr(cut)).value_or(0);
}

/// How many ports the ranges "2000-2002" of a text stand for; each becomes a service or a target, so that a few long
/// ones would take all the time.
std::int64_t ports_in_ranges(std::string_view text) {
  std::int64_t ports = 0;
  for (auto dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    std::int64_t first = number_at(text.substr(0, dash), false);
    std::int64_t last = number_at(text.substr(dash + 1), true);
    if (first <= last && last <= 65535) ports += last - first + 1;
  }
  return ports;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongest = 1024;
  constexpr std::int64_t kManyPorts = 8;
  std::string_view text = gost::as_text({data, size});
  if (size > kLongest || ports_in_ranges(text) > kManyPorts) return 0;
  std::vector<std::string> lines;
  for (std::string_view line : gost::split(text, '\n')) lines.emplace_back(line);
  std::vector<std::string> nodes(lines.begin() + 1, lines.end());
  gost::config::Problems problems;
  auto config = gost::config::parse_command_line({lines[0]}, nodes, problems);
  if (!config) return 0;
  // Each of these takes several times as long as reading a command line; an input's length says which one it gets.
  switch (size % 8) {
  case 0: gost::fuzz::yaml_round_trip(*config); break;
  case 1: gost::fuzz::json_round_trip(*config); break;
  case 2: gost::config::check(*config, {}); break;
  default: break;
  }
  return 0;
}
