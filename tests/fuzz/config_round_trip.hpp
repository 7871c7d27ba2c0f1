// What the configuration targets share: whatever was read must print to a text that reads back to the same.
#pragma once

#include "config/check.hpp"
#include "config/decode.hpp"
#include "config/print.hpp"

#include <cstdio>
#include <cstdlib>

namespace gost::fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// Checks the configuration, then prints, reads and prints it again, as YAML and as JSON.
inline void round_trip(const config::Config& config) {
  config::check(config, {});
  config::Problems problems;
  std::string yaml = print_yaml(config);
  auto yaml_tree = config::parse_yaml(yaml, "again.yaml");
  expect(yaml_tree.has_value(), "printed YAML is read");
  expect(print_yaml(config::decode(*yaml_tree, problems)) == yaml, "YAML is stable");
  if (yaml.find("!!binary ") != std::string::npos) return;  // JSON cannot carry what is no UTF-8; Go replaces it too
  std::string json = print_json(config);
  auto json_tree = config::parse_json(json, "again.json");
  expect(json_tree.has_value(), "printed JSON is read");
  expect(print_json(config::decode(*json_tree, problems)) == json, "JSON is stable");
}

}  // namespace gost::fuzz
