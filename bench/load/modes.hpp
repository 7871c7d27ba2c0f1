// One function for each way of loading the server. All take a client whose tunnels end in `sink`.
#pragma once

#include "load/client.hpp"
#include "load/sink.hpp"

#include <nlohmann/json.hpp>

namespace gost::load {

/// A run and the moment at which it must be over.
struct Run {
  const Options& options;
  Client& client;
  const Sink& sink;
  TimePoint deadline;
};

nlohmann::ordered_json run_connect(const Run& run);
nlohmann::ordered_json run_roundtrip(const Run& run);
nlohmann::ordered_json run_bulk(const Run& run);
nlohmann::ordered_json run_idle(const Run& run);
nlohmann::ordered_json run_tls_handshake(const Run& run);
nlohmann::ordered_json run_udp_echo(const Run& run);
nlohmann::ordered_json run_udp_flood(const Run& run);
nlohmann::ordered_json run_udp_connect(const Run& run);
nlohmann::ordered_json run_udp_idle(const Run& run);

/// Waits (a few seconds at most) until the server has closed its connections to the sink, so that what it spends on
/// closing is measured too. False if some stayed open.
bool drain(const Run& run);

}  // namespace gost::load
