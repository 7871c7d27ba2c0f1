// Where a configuration comes from: files, standard input, inline JSON, the command line and the environment.
#pragma once

#include "config/flags.hpp"
#include "config/model.hpp"
#include "config/problem.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gost::config {

/// What `load` asks of the process it runs in; tests give their own.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;  ///< of the environment
  std::function<Result<std::string>()> read_stdin;
  std::vector<std::string> folders;  ///< searched for gost.json, gost.yaml, gost.yml if nothing else is given
};

/// The real ones: getenv, standard input, /etc/gost, $HOME/.gost and the working directory.
Surroundings process_surroundings();

struct Loaded {
  Config config;
  /// What the readers found: warnings, and errors for values of a wrong type. Not yet what `check` finds.
  Problems problems;
  /// The last file that was read; where GOST's API would save to. Empty if there was none.
  std::string file;
};

/// Reads and merges every source: the -C values in order, then -L and -F, then GOST_LOGGER_LEVEL, GOST_API,
/// GOST_METRICS and GOST_PROFILING, then -D, -DD, -api and -metrics. Lists are concatenated, single sections
/// replaced. Without services, -api and -C the default file is searched. Fails if a source cannot be read or is no
/// YAML, JSON or URL; the text names the place.
Result<Loaded> load(const Flags& flags, const Surroundings& surroundings);

/// Appends the lists of `more` to those of `into`; sections of `more` replace those of `into`.
void merge(Config& into, Config more);

}  // namespace gost::config
