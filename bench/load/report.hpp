// What a run found out, as one JSON object.
#pragma once

#include "core/duration.hpp"
#include "load/client.hpp"
#include "load/process.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <vector>

namespace gost::load {

/// Latencies in microseconds; keeps at most a million of them, evenly chosen, so that memory stays bounded.
class Latencies {
 public:
  void add(Duration latency);
  /// {"p50": …, "p99": …, "max": …}, or null if there are none.
  nlohmann::ordered_json summary();

 private:
  std::vector<std::uint32_t> kept_;
  std::uint64_t seen_ = 0;
  std::uint64_t stride_ = 1;  ///< every stride-th is kept
};

/// What a mode measured between its two looks at the server.
struct Measurement {
  Usage before;
  Usage after;
  double seconds = 0;
  std::uint64_t completed = 0;  ///< connections, round trips, tunnels or datagrams
  std::uint64_t bytes = 0;
};

/// The part of the report that all modes share: counts, errors, rate, and the server's and the generator's cost.
nlohmann::ordered_json make_report(const Options& options, const Measurement& measurement, const Client& client,
                                   pid_t sink);

/// Adds what each of `tunnels` at rest costs the servers, if any were looked at.
void add_cost_per_tunnel(nlohmann::ordered_json& report, const Options& options, const Measurement& measurement,
                         std::uint32_t tunnels);

}  // namespace gost::load
