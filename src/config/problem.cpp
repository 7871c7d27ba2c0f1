#include "config/problem.hpp"

#include <algorithm>

namespace gost::config {

std::string Problem::to_string() const {
  std::string where = origin.to_string();
  std::string text = severity == Severity::error ? "error: " : "warning: ";
  return (where.empty() ? text : where + ": " + text) + message;
}

bool has_errors(const Problems& problems) {
  return std::ranges::any_of(problems, [](const Problem& p) { return p.severity == Severity::error; });
}

}  // namespace gost::config
