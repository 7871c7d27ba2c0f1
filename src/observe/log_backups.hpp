// The names of rotated log files: base-2006-01-02T15-04-05.000.ext, and .gz behind it once compressed.
#pragma once

#include "observe/log_line.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gost {

struct LogBackup {
  std::string path;  ///< as found, with .gz if compressed
  std::string stem;  ///< the path without .gz
  bool compressed = false;
  WallTime time;  ///< when it was rotated, taken from its name
};

/// The path that the log file `path` is moved to at `when`.
std::string backup_name(const std::string& path, WallTime when, bool local_time);

/// The backups of `path` in its folder, newest first; anything with another name is left out.
std::vector<LogBackup> list_backups(const std::string& path, bool local_time);

}  // namespace gost
