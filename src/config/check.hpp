// Finds what is wrong with a configuration before anything is started.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"

#include <set>
#include <string>

namespace gost::config {

/// Parts of the program besides handlers, listeners, connectors and dialers. A configuration that uses one that the
/// build lacks is refused; of api, metrics and profiling it is only warned.
enum class Feature : std::uint8_t {
  chains,
  forwarders,
  admissions,
  bypasses,
  resolvers,
  hosts,
  limiters,
  climiters,
  rlimiters,
  quotas,
  observers,
  recorders,
  loggers,
  handler_tls,
  redis,
  http_sources,
  plugins,
  api,
  metrics,
  profiling,
};

/// What this build can start. Names are canonical (`socks5`, not `socks`).
struct Availability {
  std::set<std::string, std::less<>> handlers, listeners, connectors, dialers;
  std::set<Feature> features;

  bool has(Feature feature) const { return features.contains(feature); }
};

/// Everything that `config/` can know without opening a socket or a file: dangling names, unknown and unavailable
/// components, duplicate and empty names, addresses, limits, options of a wrong type, unknown options, and what has
/// no effect or another than GOST's. In the order of the configuration, each problem once.
Problems check(const Config& config, const Availability& availability);

}  // namespace gost::config
