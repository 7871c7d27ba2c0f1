// gost_load: loads a proxy in one of several ways and says what that cost it. See options.cpp for its usage.
#include "load/modes.hpp"
#include "load/options.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace {

using namespace gost::load;

constexpr std::uint32_t tunnels_per_target = 8'000;
constexpr std::uint32_t most_targets = 200;

/// As many descriptors as the system allows: beyond the hard limit if this user may, else up to it.
void raise_descriptor_limit() {
  constexpr rlim_t wanted = 1'000'000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{.rlim_cur = std::max(wanted, limit.rlim_max), .rlim_max = std::max(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Role role_for(Mode mode) {
  switch (mode) {
  case Mode::connect:
  case Mode::roundtrip:
  case Mode::tls_handshake:
  case Mode::idle: return Role::echo;
  case Mode::bulk_down: return Role::source;
  case Mode::bulk_up: return Role::discard;
  case Mode::bulk_both: return Role::duplex;
  case Mode::udp_echo:
  case Mode::udp_connect:
  case Mode::udp_idle: return Role::udp_echo;
  case Mode::udp_flood: return Role::udp_discard;
  }
  return Role::echo;
}

std::uint32_t expected_tunnels(const Options& options) {
  switch (options.mode) {
  case Mode::connect:
  case Mode::tls_handshake:
  case Mode::udp_connect: return options.connections;
  case Mode::bulk_down:
  case Mode::bulk_up:
  case Mode::bulk_both: return options.streams;
  default: return options.tunnels;
  }
}

std::uint32_t number_of_targets(const Options& options) {
  // Each flood fills a receive buffer of its own.
  if (options.mode == Mode::udp_flood) return std::min(options.tunnels, most_targets);
  return std::min(expected_tunnels(options) / tunnels_per_target + 1, most_targets);
}

nlohmann::ordered_json run_mode(const Run& run) {
  switch (run.options.mode) {
  case Mode::connect: return run_connect(run);
  case Mode::roundtrip: return run_roundtrip(run);
  case Mode::idle: return run_idle(run);
  case Mode::tls_handshake: return run_tls_handshake(run);
  case Mode::udp_echo: return run_udp_echo(run);
  case Mode::udp_flood: return run_udp_flood(run);
  case Mode::udp_connect: return run_udp_connect(run);
  case Mode::udp_idle: return run_udp_idle(run);
  default: return run_bulk(run);
  }
}

int complain(std::string_view text) {
  std::fprintf(stderr, "gost_load: %.*s\n(gost_load --help lists modes and options)\n", static_cast<int>(text.size()),
               text.data());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv + 1, static_cast<std::size_t>(std::max(argc - 1, 0)));
  if (!arguments.empty() && std::string_view(arguments[0]) == "--help") {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  const auto options = parse_options(arguments);
  if (!options) return complain(options.error().text);
  raise_descriptor_limit();

  const auto sink =
      Sink::start(role_for(options->mode), number_of_targets(*options), options->sink_port, options->rate);
  if (!sink) return complain(sink.error().text);

  Client client(*options, sink->targets(), expected_tunnels(*options));
  const Run run{.options = *options,
                .client = client,
                .sink = *sink,
                .deadline = std::chrono::steady_clock::now() + options->timeout};
  const auto report = run_mode(run);
  std::printf("%s\n", report.dump(2).c_str());
  return client.errors().empty() ? 0 : 1;
}
