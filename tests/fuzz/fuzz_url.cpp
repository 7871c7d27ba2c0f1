// -L and -F: the first line is a service, the others are nodes.
#include "config_round_trip.hpp"

#include "config/command_line.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongest = 4096;  // a port range in every line would otherwise dominate the time
  if (size > kLongest) return 0;
  std::vector<std::string> lines;
  for (std::string_view line : gost::split(gost::as_text({data, size}), '\n')) lines.emplace_back(line);
  std::vector<std::string> nodes(lines.begin() + 1, lines.end());
  gost::config::Problems problems;
  auto config = gost::config::parse_command_line({lines[0]}, nodes, problems);
  constexpr std::size_t kManyServices = 64;
  if (config && config->services.size() <= kManyServices) gost::fuzz::round_trip(*config);
  return 0;
}
