// Configurations as text, exactly as GOST prints them with -O.
#pragma once

#include "config/model.hpp"

#include <string>

namespace gost::config {

/// `-O yaml`: two-space indent, keys in the schema's order, options sorted, durations as Go writes them ("1m0s").
std::string print_yaml(const Config& config);

/// `-O json`: two-space indent, durations as integer nanoseconds.
std::string print_json(const Config& config);

}  // namespace gost::config
