#include "app/app.hpp"

#include "app/server.hpp"
#include "config/check.hpp"
#include "config/flags.hpp"
#include "config/print.hpp"
#include "config/sources.hpp"
#include "net/descriptor_limit.hpp"
#include "observe/log_setup.hpp"
#include "service/registry.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

namespace gost {

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitBadConfiguration = 78;  // EX_CONFIG
constexpr std::chrono::milliseconds kFlushLimit{1000};

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

std::string version() {
  return "gost " GOST_VERSION " (C++23, linux), compatible with GOST 3.3.0\n";
}

/// The user's wish for all programs: no-color.org.
bool colours_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

void flush(const OpenedLog& log) {
  if (log.writer) log.writer->flush(kFlushLimit);
}

/// The log on standard error for everything that happens before the configured one is known.
int fail_before_start(const std::vector<std::string>& texts) {
  LogOptions options;
  options.colours = colours_wanted();
  OpenedLog bootstrap = open_log(options);
  for (const std::string& text : texts) bootstrap.logger.fatal(text);
  flush(bootstrap);
  return kExitFailure;
}

int report_check(const config::Problems& problems) {
  std::string text;
  for (const config::Problem& problem : problems) text += problem.to_string() + "\n";
  bool bad = config::has_errors(problems);
  if (!bad) text += "the configuration is good\n";
  print(bad ? stderr : stdout, text);
  return bad ? kExitBadConfiguration : 0;
}

OpenedLog open_configured_log(const std::optional<config::Log>& log) {
  LogOptions options;
  options.colours = colours_wanted();
  if (log) {
    options.output = log->output;
    options.level = log->level;
    options.format = log->format;
    if (log->rotation) {
      const config::Rotation& rotation = *log->rotation;
      Rotation& to = options.rotation.emplace();
      if (rotation.max_size > 0) to.max_bytes = static_cast<std::uint64_t>(rotation.max_size) << 20;
      to.max_age_days = rotation.max_age;
      to.max_backups = rotation.max_backups;
      to.local_time = rotation.local_time;
      to.compress = rotation.compress;
    }
  }
  return open_log(options);
}

int serve(Built built, const Logger& log, Duration drain) {
  raise_descriptor_limit();
  Server server(std::move(built), log, drain);
  if (auto bound = server.bind(); !bound) {
    log.fatal(bound.error().text);
    return kExitFailure;
  }
  server.run();
  return 0;
}

int refuse_to_start(const config::Problems& problems) {
  std::vector<std::string> texts;
  for (const config::Problem& problem : problems)
    if (problem.severity == config::Severity::error) texts.push_back(problem.to_string());
  return fail_before_start(texts);
}

int start(const config::Flags& flags, const config::Config& config, config::Problems problems) {
  if (config::has_errors(problems)) return refuse_to_start(problems);
  OpenedLog opened = open_configured_log(config.log);
  Built built = build(config, problems, opened.logger);
  if (config::has_errors(problems)) {
    // What it says comes from another writer, and must be the last.
    flush(opened);
    return refuse_to_start(problems);
  }
  for (const std::string& warning : opened.warnings) opened.logger.warn(warning);
  for (const config::Problem& problem : problems) opened.logger.warn(problem.to_string());
  if (flags.reload_period > Duration::zero())
    opened.logger.warn("-R is not available in this build: the configuration is read once");
  int code = serve(std::move(built), opened.logger, flags.drain);
  flush(opened);
  return code;
}

}  // namespace

int run_program(std::span<const char* const> arguments) {
  auto flags = config::parse_flags(arguments);
  if (!flags) {
    print(stderr, flags.error().text);
    return flags.error().exit_code;
  }
  if (flags->help) {
    print(stderr, config::usage());
    return 0;
  }
  if (flags->version) {
    print(stdout, version());
    return 0;
  }
  auto loaded = config::load(*flags, config::process_surroundings());
  if (!loaded) {
    if (!flags->check) return fail_before_start({loaded.error().text});
    print(stderr, loaded.error().text + "\n");
    return kExitBadConfiguration;
  }
  if (!flags->output_format.empty()) {
    print(stdout,
          flags->output_format == "json" ? config::print_json(loaded->config) : config::print_yaml(loaded->config));
    return 0;
  }
  config::Problems problems = std::move(loaded->problems);
  std::ranges::move(config::check(loaded->config, availability()), std::back_inserter(problems));
  if (!flags->check) return start(*flags, loaded->config, std::move(problems));
  // What check() has refused cannot be built, and would only be told twice.
  if (!config::has_errors(problems)) std::ignore = build(loaded->config, problems, Logger());
  return report_check(problems);
}

}  // namespace gost
