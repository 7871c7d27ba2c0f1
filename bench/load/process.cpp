#include "load/process.hpp"

#include "core/text.hpp"

#include <unistd.h>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace gost::load {
namespace {

namespace fs = std::filesystem;

struct Stat {
  pid_t parent = 0;
  std::uint64_t children_ticks = 0;  ///< CPU time of children that ended and were waited for
  std::uint32_t threads = 0;
};

std::optional<Stat> read_stat(const fs::path& directory) {
  std::ifstream file(directory / "stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = line.rfind(')');  // the name may hold blanks and parentheses
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  if (fields.size() < 18) return std::nullopt;
  // proc(5) numbers fields from 1 and the state, here [0], is its field 3: cutime 16, cstime 17, num_threads 20.
  const auto field = [&fields](std::size_t number) { return parse_int(fields[number - 3]).value_or(0); };
  return Stat{.parent = static_cast<pid_t>(field(4)),
              .children_ticks = static_cast<std::uint64_t>(field(16) + field(17)),
              .threads = static_cast<std::uint32_t>(field(20))};
}

std::map<pid_t, Stat> all_processes() {
  std::map<pid_t, Stat> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto pid = parse_int(entry.path().filename().string());
    if (!pid) continue;
    if (const auto stat = read_stat(entry.path())) found.emplace(static_cast<pid_t>(*pid), *stat);
  }
  return found;
}

bool descends_from(const std::map<pid_t, Stat>& processes, pid_t pid, std::span<const pid_t> ancestors) {
  // The chain ends at init's parent 0, or where a parent ended between two reads.
  for (auto found = processes.find(pid); found != processes.end(); found = processes.find(found->second.parent)) {
    if (std::ranges::find(ancestors, found->first) != ancestors.end()) return true;
  }
  return false;
}

void add_memory(const fs::path& directory, Usage& usage) {
  std::ifstream file(directory / "smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kib = 0;
    words >> key >> kib;
    if (key == "Private_Clean:" || key == "Private_Dirty:") usage.private_kib += kib;
    if (key == "Rss:") usage.rss_kib += kib;
  }
}

std::uint64_t count_entries(const fs::path& directory) {
  std::error_code error;
  std::uint64_t count = 0;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) ++count;
  return count;
}

}  // namespace

double cpu_seconds(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Usage measure_trees(std::span<const pid_t> roots) {
  Usage usage;
  if (roots.empty()) return usage;
  static const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto processes = all_processes();
  for (const auto& [candidate, stat] : processes) {
    if (!descends_from(processes, candidate, roots)) continue;
    const auto directory = fs::path("/proc") / std::to_string(candidate);
    usage.cpu_seconds += cpu_seconds(candidate) + static_cast<double>(stat.children_ticks) / ticks_per_second;
    usage.fds += count_entries(directory / "fd");
    usage.threads += stat.threads;
    ++usage.processes;
    add_memory(directory, usage);
  }
  return usage;
}

}  // namespace gost::load
