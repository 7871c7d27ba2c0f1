// Logger: the handle by which every part of the program writes log lines.
#pragma once

#include "observe/log_line.hpp"

#include <initializer_list>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

namespace gost {

/// Takes finished lines. `append` is called from any thread and never waits for I/O.
class LineSink {
 public:
  virtual ~LineSink() = default;
  /// `line` ends with a newline and is borrowed for the call.
  virtual void append(std::string_view line) = 0;
};

/// Writes lines with a fixed set of context fields. Cheap to copy; a default-constructed one is silent. All members
/// may be called from any thread.
class Logger {
 public:
  Logger() = default;
  /// Writes lines of at least `level` in `style` to `sink`. Without a `clock` the system's time is used.
  Logger(std::shared_ptr<LineSink> sink, Level level, LineStyle style = {}, WallClock clock = {});

  /// True if a line of that level would be written: ask before rendering something expensive.
  bool enabled(Level level) const { return level >= level_; }
  Level level() const { return level_; }

  /// A logger that adds `fields` to every line.
  Logger with(std::initializer_list<Field> fields) const;

  /// Writes one line if its level is enabled.
  void write(Level level, std::string_view message, std::span<const Field> extra = {},
             const std::source_location& where = std::source_location::current()) const {
    if (enabled(level)) render(level, message, extra, where);
  }
  void write(Level level, std::string_view message, std::initializer_list<Field> extra,
             const std::source_location& where = std::source_location::current()) const {
    write(level, message, std::span(extra.begin(), extra.size()), where);
  }

  void debug(std::string_view message, std::initializer_list<Field> extra = {},
             const std::source_location& where = std::source_location::current()) const {
    write(Level::debug, message, extra, where);
  }
  void info(std::string_view message, std::initializer_list<Field> extra = {},
            const std::source_location& where = std::source_location::current()) const {
    write(Level::info, message, extra, where);
  }
  void warn(std::string_view message, std::initializer_list<Field> extra = {},
            const std::source_location& where = std::source_location::current()) const {
    write(Level::warn, message, extra, where);
  }
  void error(std::string_view message, std::initializer_list<Field> extra = {},
             const std::source_location& where = std::source_location::current()) const {
    write(Level::error, message, extra, where);
  }
  /// Only writes the line; ending the program is the caller's business.
  void fatal(std::string_view message, std::initializer_list<Field> extra = {},
             const std::source_location& where = std::source_location::current()) const {
    write(Level::fatal, message, extra, where);
  }

 private:
  struct Context {
    std::shared_ptr<LineSink> sink;
    LineStyle style;
    WallClock clock;
    std::string fields;  ///< rendered in the log's format, so that a line only copies them
  };

  void render(Level level, std::string_view message, std::span<const Field> extra,
              const std::source_location& where) const;

  Level level_ = Level::none;
  std::shared_ptr<const Context> context_;
};

}  // namespace gost
