// What a process and its descendants have used: CPU time, memory, descriptors.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace gost::load {

struct Usage {
  double cpu_seconds = 0;         ///< user and system time; also of threads and waited-for children that have ended
  std::uint64_t private_kib = 0;  ///< memory that belongs to these processes alone (smaps_rollup, Private_*)
  std::uint64_t rss_kib = 0;
  std::uint64_t fds = 0;
  std::uint32_t processes = 0;
  std::uint32_t threads = 0;
};

/// Sums over the processes `roots` and all their descendants. A process that ends meanwhile, or that may not be
/// looked into, adds nothing.
Usage measure_trees(std::span<const pid_t> roots);

/// The CPU time of one process in seconds, to the nanosecond.
double cpu_seconds(pid_t pid);

}  // namespace gost::load
