#include "observe/log_line.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

namespace gost {

namespace {

constexpr std::array<std::string_view, 7> kLevelNames{"trace", "debug", "info", "warn", "error", "fatal", "none"};
constexpr std::array<std::string_view, 7> kLevelColours{"\x1b[90m", "\x1b[34m",   "\x1b[32m", "\x1b[33m",
                                                        "\x1b[31m", "\x1b[1;31m", ""};
constexpr std::string_view kColourEnd = "\x1b[0m";

/// Bytes that stand for themselves between quotes.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_plain(char c) {
  return kPlain[static_cast<unsigned char>(c)];
}

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  ///< bytes of the encoding; 0 if they are no valid UTF-8
};

/// The first code point of a text that begins with a byte >= 0x80 (RFC 3629: no overlong forms, no surrogates).
CodePoint decode_utf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned lead = byte(0);
  std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fU);
  }
  bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, length};
}

/// Code points that end a line, steer a terminal (C1) or change the direction of the text that follows.
bool is_treacherous(char32_t c) {
  return c < 0xa0 || c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/// Appends the body of a quoted string; `invalid` and `control` say how the two formats write an undecodable byte and
/// an ASCII control character.
template <class Invalid, class Control>
void append_escaped(std::string& out, std::string_view text, Invalid invalid, Control control) {
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && is_plain(text[run])) ++run;
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;

    auto byte = static_cast<unsigned char>(text[0]);
    std::size_t used = 1;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x80) {
      control(byte);
    } else if (CodePoint point = decode_utf8(text); point.length == 0) {
      invalid(byte);
    } else {
      used = point.length;
      if (is_treacherous(point.value)) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(point.value));
      } else {
        out.append(text.substr(0, used));
      }
    }
    text.remove_prefix(used);
  }
}

bool is_bare_word(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (!is_plain(c) || c == ' ' || c == '=') return false;
  return true;
}

void append_integer(std::string& out, std::int64_t value) {
  fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

/// "folder/file.cpp:12" of a source location, as GOST shortens it.
void append_place(std::string& out, const std::source_location& where) {
  std::string_view file = where.file_name();
  if (auto slash = file.rfind('/'); slash != std::string_view::npos && slash > 0) {
    auto folder = file.rfind('/', slash - 1);
    if (folder != std::string_view::npos) file.remove_prefix(folder + 1);
  }
  out.append(file);
  out += ':';
  append_integer(out, where.line());
}

struct SecondText {
  std::time_t second = -1;
  std::array<char, 20> date{};  ///< "2006-01-02T15:04:05."
  std::array<char, 6> zone{};   ///< "Z" or "+08:00"
  std::size_t zone_size = 0;
};

void render_second(SecondText& text, std::time_t second) {
  std::tm local{};
  ::localtime_r(&second, &local);
  fmt::format_to_n(text.date.data(), text.date.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", local.tm_year + 1900,
                   local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  if (local.tm_gmtoff == 0) {
    text.zone[0] = 'Z';
    text.zone_size = 1;
  } else {
    long minutes = (local.tm_gmtoff < 0 ? -local.tm_gmtoff : local.tm_gmtoff) / 60;
    fmt::format_to_n(text.zone.data(), text.zone.size(), "{}{:02}:{:02}", local.tm_gmtoff < 0 ? '-' : '+',
                     minutes / 60, minutes % 60);
    text.zone_size = text.zone.size();
  }
  text.second = second;
}

}  // namespace

std::string_view to_string(Level level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i)
    if (iequals(name, kLevelNames[i])) return static_cast<Level>(i);
  return std::nullopt;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(
      out, text, [&](unsigned char) { out += "\\ufffd"; },
      [&](unsigned char c) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", c); });
  out += '"';
}

void append_text_value(std::string& out, std::string_view text) {
  if (is_bare_word(text)) {
    out.append(text);
    return;
  }
  auto hexadecimal = [&](unsigned char c) { fmt::format_to(std::back_inserter(out), "\\x{:02x}", c); };
  out += '"';
  append_escaped(out, text, hexadecimal, hexadecimal);
  out += '"';
}

void append_field(std::string& out, LogFormat format, const Field& field) {
  bool json = format == LogFormat::json;
  out += json ? ',' : ' ';
  if (json) {
    append_json_string(out, field.key);
    out += ':';
  } else {
    append_text_value(out, field.key);
    out += '=';
  }
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    json ? append_json_string(out, *text) : append_text_value(out, *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    append_integer(out, *number);
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

void append_time(std::string& out, WallTime now) {
  // localtime_r takes a lock and reads the zone's rules, so each thread asks once per second only.
  thread_local SecondText cache;
  auto second = std::chrono::floor<std::chrono::seconds>(now);
  auto count = static_cast<std::time_t>(second.time_since_epoch().count());
  if (cache.second != count) render_second(cache, count);
  auto millis = static_cast<unsigned>(std::chrono::floor<std::chrono::milliseconds>(now - second).count());
  out.append(cache.date.data(), cache.date.size());
  out += static_cast<char>('0' + millis / 100);
  out += static_cast<char>('0' + millis / 10 % 10);
  out += static_cast<char>('0' + millis % 10);
  out.append(cache.zone.data(), cache.zone_size);
}

void append_line(std::string& out, const LineStyle& style, WallTime now, Level level, std::string_view message,
                 std::string_view context, std::span<const Field> extra, const std::source_location& where) {
  bool json = style.format == LogFormat::json;
  out += json ? "{\"time\":\"" : "time=";
  append_time(out, now);
  out += json ? "\",\"level\":\"" : " level=";
  if (style.colours) out += kLevelColours[static_cast<std::size_t>(level)];
  out += to_string(level);
  if (style.colours) out += kColourEnd;
  out += json ? "\",\"msg\":" : " msg=";
  json ? append_json_string(out, message) : append_text_value(out, message);
  out += context;
  for (const Field& field : extra) append_field(out, style.format, field);
  if (style.caller) {
    out += json ? ",\"caller\":\"" : " caller=";
    append_place(out, where);
    if (json) out += '"';
  }
  out += json ? "}\n" : "\n";
}

}  // namespace gost
