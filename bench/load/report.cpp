#include "load/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace gost::load {
namespace {

constexpr std::size_t latency_limit = 1'000'000;
constexpr double per_thousand_ms = 1e6;  // seconds for one -> milliseconds for a thousand

}  // namespace

void Latencies::add(Duration latency) {
  if (seen_++ % stride_ != 0) return;
  if (kept_.size() == latency_limit) {
    for (std::size_t i = 0; i < latency_limit / 2; ++i) kept_[i] = kept_[2 * i];
    kept_.resize(latency_limit / 2);
    stride_ *= 2;
  }
  kept_.push_back(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
}

nlohmann::ordered_json Latencies::summary() {
  if (kept_.empty()) return nullptr;
  std::ranges::sort(kept_);
  return {{"p50", kept_[kept_.size() / 2]}, {"p99", kept_[kept_.size() * 99 / 100]}, {"max", kept_.back()}};
}

nlohmann::ordered_json make_report(const Options& options, const Measurement& measurement, const Client& client,
                                   pid_t sink) {
  const auto& [before, after, seconds, completed, bytes] = measurement;
  nlohmann::ordered_json report;
  report["mode"] = options.mode_name;
  report["seconds"] = seconds;
  report["completed"] = completed;
  report["errors"] = client.errors();
  if (seconds > 0 && completed > 0) report["per_second"] = static_cast<double>(completed) / seconds;
  if (bytes > 0) {
    report["bytes"] = bytes;
    report["gigabytes_per_second"] = static_cast<double>(bytes) / 1e9 / seconds;
  }
  if (!options.server_pids.empty()) {
    const double cpu = after.cpu_seconds - before.cpu_seconds;
    auto& server = report["server"];
    server["cpu_seconds"] = cpu;
    if (completed > 0) server["cpu_ms_per_1000"] = cpu / static_cast<double>(completed) * per_thousand_ms;
    if (completed > 0 && cpu > 0) server["per_cpu_second"] = static_cast<double>(completed) / cpu;
    if (bytes > 0) server["cpu_seconds_per_gb"] = cpu / static_cast<double>(bytes) * 1e9;
    server["processes"] = after.processes;
    server["threads"] = after.threads;
    server["private_kib"] = {before.private_kib, after.private_kib};
    server["rss_kib"] = {before.rss_kib, after.rss_kib};
    server["fds"] = {before.fds, after.fds};
  }
  report["generator_cpu_seconds"] = cpu_seconds(getpid());
  report["sink_cpu_seconds"] = cpu_seconds(sink);
  return report;
}

void add_cost_per_tunnel(nlohmann::ordered_json& report, const Options& options, const Measurement& measurement,
                         std::uint32_t tunnels) {
  if (options.server_pids.empty() || tunnels == 0) return;
  const auto per_tunnel = [tunnels](std::uint64_t before, std::uint64_t after) {
    return (static_cast<double>(after) - static_cast<double>(before)) / tunnels;
  };
  auto& server = report["server"];
  server["private_kib_per_tunnel"] = per_tunnel(measurement.before.private_kib, measurement.after.private_kib);
  server["fds_per_tunnel"] = per_tunnel(measurement.before.fds, measurement.after.fds);
}

}  // namespace gost::load
