// What the configuration targets share: whatever was read must print to a text that reads back to the same.
#pragma once

#include "expect.hpp"

#include "config/check.hpp"
#include "config/decode.hpp"
#include "config/print.hpp"

namespace gost::fuzz {

/// Prints the configuration as YAML, reads that and prints it again.
inline void yaml_round_trip(const config::Config& config) {
  config::Problems problems;
  std::string yaml = print_yaml(config);
  auto tree = config::parse_yaml(yaml, "again.yaml");
  expect(tree.has_value(), "printed YAML is read");
  expect(print_yaml(config::decode(*tree, problems)) == yaml, "YAML is stable");
}

/// The same as JSON, which cannot carry what is no UTF-8; Go replaces it, too.
inline void json_round_trip(const config::Config& config) {
  if (print_yaml(config).contains("!!binary ")) return;
  config::Problems problems;
  std::string json = print_json(config);
  auto tree = config::parse_json(json, "again.json");
  expect(tree.has_value(), "printed JSON is read");
  expect(print_json(config::decode(*tree, problems)) == json, "JSON is stable");
}

}  // namespace gost::fuzz
