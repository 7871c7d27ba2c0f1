// A configuration file in JSON.
#include "config_round_trip.hpp"

#include "core/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gost::config::ReadLimits limits;
  limits.values = 5000;
  limits.depth = 32;  // what is printed again nests no deeper than the default limit allows
  auto tree = gost::config::parse_json(gost::as_text({data, size}), "fuzz.json", limits);
  if (!tree) return 0;
  gost::config::Problems problems;
  gost::config::Config config = gost::config::decode(*tree, problems);
  gost::config::check(config, {});
  gost::fuzz::yaml_round_trip(config);
  gost::fuzz::json_round_trip(config);
  return 0;
}
