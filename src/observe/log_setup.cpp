#include "observe/log_setup.hpp"

#include "core/text.hpp"

#include <unistd.h>

#include <utility>

namespace gost {

namespace {

struct Destination {
  std::unique_ptr<LogTarget> target;
  bool terminal = false;
};

Level choose_level(const LogOptions& options, std::vector<std::string>& warnings) {
  if (options.level.empty()) return Level::info;
  if (auto level = parse_level(options.level)) return *level;
  warnings.push_back("log.level '" + options.level +
                     "' is unknown, info is used; write one of trace, debug, info, warn, error, fatal, none");
  return Level::info;
}

LineStyle choose_style(const LogOptions& options, bool terminal, std::vector<std::string>& warnings) {
  if (iequals(options.format, "text")) return {.format = LogFormat::text};
  if (iequals(options.format, "json")) return {};
  if (!options.format.empty()) {
    warnings.push_back("log.format '" + options.format + "' is unknown, json is used; write json or text");
    return {};
  }
  if (!terminal) return {};
  return {.format = LogFormat::text, .colours = options.colours};
}

Destination standard_stream(int descriptor) {
  return {std::make_unique<DescriptorTarget>(descriptor), ::isatty(descriptor) == 1};
}

Destination choose_destination(const LogOptions& options, std::vector<std::string>& warnings) {
  if (options.output.empty() || options.output == "stderr") return standard_stream(STDERR_FILENO);
  if (options.output == "stdout") return standard_stream(STDOUT_FILENO);
  auto file = LogFile::open(options.output, options.rotation);
  if (file) return {std::move(*file)};
  warnings.push_back("log.output: " + file.error().text + "; the log goes to stderr instead");
  return standard_stream(STDERR_FILENO);
}

}  // namespace

OpenedLog open_log(const LogOptions& options) {
  OpenedLog log;
  Level level = choose_level(options, log.warnings);
  if (level == Level::none || options.output == "none" || options.output == "null") return log;
  Destination destination = choose_destination(options, log.warnings);
  LineStyle style = choose_style(options, destination.terminal, log.warnings);
  style.caller = level <= Level::debug;
  log.writer = std::make_shared<LogWriter>(std::move(destination.target), WriterOptions{.format = style.format});
  log.logger = Logger(log.writer, level, style);
  return log;
}

}  // namespace gost
