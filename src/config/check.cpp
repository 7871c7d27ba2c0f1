#include "config/check.hpp"

#include "config/check_rules.hpp"

#include <fmt/format.h>

#include <map>
#include <tuple>

namespace gost::config {

void CheckContext::error(const Origin& origin, std::string message) const {
  problems.push_back({Severity::error, origin, std::move(message)});
}

void CheckContext::warning(const Origin& origin, std::string message) const {
  problems.push_back({Severity::warning, origin, std::move(message)});
}

void CheckContext::require(Feature feature, const Origin& origin, const std::string& what) const {
  if (!availability.has(feature)) error(origin, what + " is not available in this build");
}

Problems check(const Config& config, const Availability& availability) {
  Problems found;
  CheckContext context{config, availability, found};
  check_names(context);
  check_components(context);
  check_addresses(context);
  check_rules(context);
  check_chains(context);
  check_options(context);
  std::multimap<std::tuple<std::string, unsigned, unsigned>, Problem> by_place;
  std::set<std::string> seen;
  for (Problem& problem : found) {
    if (!seen.insert(problem.to_string()).second) continue;
    const Origin& at = problem.origin;
    by_place.emplace(std::tuple(at.source ? *at.source : std::string(), at.line, at.column), std::move(problem));
  }
  Problems ordered;
  for (auto& [place, problem] : by_place) ordered.push_back(std::move(problem));
  return ordered;
}

}  // namespace gost::config
