// From the `log` section to a logger: chooses destination, level and style.
#pragma once

#include "observe/log.hpp"
#include "observe/log_file.hpp"
#include "observe/writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

/// The `log` section as it stands in the configuration; empty texts mean the default.
struct LogOptions {
  std::string output;                ///< stderr (default), stdout, none or null, or the path of a file
  std::string level;                 ///< trace, debug, info (default), warn, error, fatal, none
  std::string format;                ///< json or text; by default text on a terminal and JSON elsewhere
  std::optional<Rotation> rotation;  ///< only for a file
  bool colours = true;               ///< allow colours (text by default on a terminal only)
};

struct OpenedLog {
  Logger logger;
  std::shared_ptr<LogWriter> writer;  ///< to flush before the program ends; none if nothing is ever written
  std::vector<std::string> warnings;  ///< sentences about options that could not be honoured
};

/// Opens the log. Never fails: a file that cannot be opened becomes stderr, an unknown word becomes the default, and
/// `warnings` says so.
OpenedLog open_log(const LogOptions& options);

}  // namespace gost
