// One line of the log: its parts, and how they are rendered as JSON or as text. Nothing here does I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace gost {

/// From the most to the least talkative; `none` as a threshold silences everything.
enum class Level : std::uint8_t { trace, debug, info, warn, error, fatal, none };

/// GOST's word for a level.
std::string_view to_string(Level level);
/// The level of that name in any case; nothing for an unknown word.
std::optional<Level> parse_level(std::string_view name);

/// One key of a line. Borrows its texts: it lives no longer than the call that it is an argument of.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, bool> value;
};

using WallTime = std::chrono::system_clock::time_point;
/// Where the log takes its time from; tests inject their own.
using WallClock = std::function<WallTime()>;

enum class LogFormat : std::uint8_t { json, text };

/// How all lines of one log look.
struct LineStyle {
  LogFormat format = LogFormat::json;
  bool colours = false;  ///< ANSI colours around the level (text only)
  bool caller = false;   ///< add `caller`, the place in the source
};

/// Appends one complete line, newline included: time, level, msg, `context` (fields rendered earlier by
/// `append_field`), `extra`, caller. The result is always exactly one line, whatever the texts contain.
void append_line(std::string& out, const LineStyle& style, WallTime now, Level level, std::string_view message,
                 std::string_view context, std::span<const Field> extra, const std::source_location& where);

/// Appends `,"key":value` (JSON) or ` key=value` (text).
void append_field(std::string& out, LogFormat format, const Field& field);

/// Appends the local time as `2006-01-02T15:04:05.000Z07:00`.
void append_time(std::string& out, WallTime now);

/// Appends a quoted JSON string. `<`, `>` and `&` stay literal, invalid UTF-8 becomes U+FFFD, and whatever could
/// steer a terminal or reorder the text on it is written as an escape.
void append_json_string(std::string& out, std::string_view text);

/// Appends a value of the text format: bare if it is a plain word, otherwise quoted as Go's strconv.Quote does.
void append_text_value(std::string& out, std::string_view text);

}  // namespace gost
