// What is wrong with a configuration: found while reading it or by `check`.
#pragma once

#include "config/value.hpp"

#include <string>
#include <vector>

namespace gost::config {

enum class Severity : std::uint8_t {
  error,    ///< the configuration must not be started
  warning,  ///< it starts, but probably does not do what was meant
};

struct Problem {
  Severity severity = Severity::error;
  Origin origin;
  std::string message;  ///< a sentence that says what is wrong and what to change

  /// "gost.yaml:3:7: error: …"; without an origin "error: …".
  std::string to_string() const;
};

using Problems = std::vector<Problem>;

bool has_errors(const Problems& problems);

}  // namespace gost::config
