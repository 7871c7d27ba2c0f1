// The program's arguments, read by the rules of Go's flag package.
#pragma once

#include "core/duration.hpp"

#include <expected>
#include <span>
#include <string>
#include <vector>

namespace gost::config {

struct Flags {
  bool check = false;  ///< `gost check …`: report problems, start nothing
  bool help = false;
  bool version = false;
  std::vector<std::string> services;  ///< -L
  std::vector<std::string> nodes;     ///< -F
  std::vector<std::string> sources;   ///< -C
  std::string output_format;          ///< -O; empty: do not print
  bool debug = false;                 ///< -D
  bool trace = false;                 ///< -DD
  std::string api, metrics;           ///< -api, -metrics
  Duration reload_period{};           ///< -R; 0: never
  Duration drain = std::chrono::seconds(10);
};

struct FlagError {
  int exit_code = 2;
  std::string text;  ///< what to write to standard error, usage included where Go shows it
};

/// `arguments` without the program's name. "-x v", "-x=v", "--x v" are the same; a boolean takes a value only as
/// "-D=false"; the first argument that is no flag, and "--", end the flags. Prints nothing.
std::expected<Flags, FlagError> parse_flags(std::span<const char* const> arguments);

/// The text of -h, for standard error.
std::string usage();

}  // namespace gost::config
