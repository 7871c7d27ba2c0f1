// From the model to a generic tree with exactly the keys that are to be printed.
#pragma once

#include "config/model.hpp"
#include "config/value.hpp"

namespace gost::config {

enum class Form : std::uint8_t {
  yaml,  ///< durations as text, empty lists as lists, options in yaml.v3's order
  json,  ///< durations as nanoseconds, empty lists as null (Go's nil slices), options in byte order
};

Value to_value(const Config& config, Form form);

/// A generic tree as text. Map keys are printed in the order of the tree.
std::string yaml_text(const Value& value);
std::string json_text(const Value& value);

}  // namespace gost::config
