#include "config/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace gost::config {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

std::string without_underscores(std::string_view text) {
  std::string result(text);
  std::erase(result, '_');
  return result;
}

/// Go's strconv.ParseInt with base 0: 0x, 0o, 0b and a leading 0 for octal. Nothing if it is no integer;
/// numbers beyond int64 are left to the caller.
std::optional<std::int64_t> parse_based(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    char mark = text[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    text.remove_prefix(base == 8 && mark != 'o' && mark != 'O' ? 1 : 2);
  }
  std::uint64_t magnitude = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kLargest + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
}

/// [-+]? (.digits | digits [.digits*]) ([eE][-+]?digits)?
bool looks_like_float(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  std::size_t whole = skip_digits(text, at);
  bool has_whole = whole > at;
  at = whole;
  if (at < text.size() && text[at] == '.') {
    std::size_t fraction = skip_digits(text, at + 1);
    if (!has_whole && fraction == at + 1) return false;
    at = fraction;
  } else if (!has_whole) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    std::size_t exponent = skip_digits(text, at);
    if (exponent == at) return false;
    at = exponent;
  }
  return at == text.size();
}

std::optional<double> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

/// yyyy-m-d, alone or followed by a time: yaml.v3 would read it as a time stamp.
bool looks_like_date(std::string_view text) {
  if (skip_digits(text, 0) != 4 || text.size() < 8 || text[4] != '-') return false;
  std::size_t month = skip_digits(text, 5);
  if (month == 5 || month > 7 || month >= text.size() || text[month] != '-') return false;
  std::size_t day = skip_digits(text, month + 1);
  if (day == month + 1 || day > month + 3) return false;
  if (day == text.size()) return true;
  bool separated = text[day] == 'T' || text[day] == 't' || text[day] == ' ';
  return separated && skip_digits(text, day + 1) > day + 1 && text.find(':', day) != std::string_view::npos;
}

/// digits and "_" in groups separated by ":", such as "10:30:00" and "0:53".
bool looks_like_base60(std::string_view text) {
  if (text.empty() || text.find(':') == std::string_view::npos) return false;
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  std::size_t at = 0;
  while (at < text.size() && (is_digit(text[at]) || text[at] == '_')) ++at;
  while (at < text.size() && text[at] == ':') {
    std::size_t end = skip_digits(text, at + 1);
    std::size_t length = end - at - 1;
    if (length == 0 || length > 2 || (length == 2 && text[at + 1] > '5')) return false;
    at = end;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && (is_digit(text[at]) || text[at] == '_')) ++at;
  }
  return at == text.size();
}

constexpr std::array<std::string_view, 3> kTrue{"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalse{"false", "False", "FALSE"};
constexpr std::array<std::string_view, 5> kNull{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> kNan{".nan", ".NaN", ".NAN"};
constexpr std::array<std::string_view, 6> kInfinity{".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
constexpr std::array<std::string_view, 3> kMinusInfinity{"-.inf", "-.Inf", "-.INF"};
constexpr std::array<std::string_view, 16> kOldBooleans{"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
                                                        "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF"};

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

/// The number that starts at `at`; `carry` counts as a digit in front of it.
std::uint64_t number_at(std::string_view text, std::size_t at, bool carry) {
  std::uint64_t value = carry ? 1 : 0;
  for (; at < text.size() && is_digit(text[at]); ++at)
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
  return value;
}

}  // namespace

PlainScalar resolve_plain(std::string_view text) {
  if (one_of(text, kTrue)) return true;
  if (one_of(text, kFalse)) return false;
  if (one_of(text, kNull)) return std::monostate{};
  if (one_of(text, kNan)) return std::numeric_limits<double>::quiet_NaN();
  if (one_of(text, kInfinity)) return std::numeric_limits<double>::infinity();
  if (one_of(text, kMinusInfinity)) return -std::numeric_limits<double>::infinity();
  char first = text.front();
  if (is_digit(first) || first == '+' || first == '-') {
    if (looks_like_date(text)) return std::string(text);
    std::string plain = without_underscores(text);
    if (auto value = parse_based(plain)) return *value;
    if (auto value = parse_float(plain)) return *value;
  } else if (first == '.') {
    if (auto value = parse_float(text)) return *value;
  }
  return std::string(text);
}

bool needs_quotes(std::string_view text) {
  if (!std::holds_alternative<std::string>(resolve_plain(text))) return true;
  return looks_like_date(text) || looks_like_base60(text) || one_of(text, kOldBooleans) || text == kMergeKey;
}

std::string go_float(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::array<char, 400> buffer{};
  auto write = [&](std::chars_format format) {
    auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return std::string(buffer.data(), end);
  };
  std::string scientific = write(std::chars_format::scientific);
  int exponent = 0;
  const char* from = scientific.data() + scientific.find('e') + 1;
  if (*from == '+') ++from;
  std::from_chars(from, scientific.data() + scientific.size(), exponent);
  return exponent < -4 || exponent >= 6 ? scientific : write(std::chars_format::fixed);
}

bool yaml_key_less(std::string_view a, std::string_view b) {
  auto [in_a, in_b] = std::ranges::mismatch(a, b);
  auto at = static_cast<std::size_t>(in_a - a.begin());
  if (at == a.size() || at == b.size()) return a.size() < b.size();
  bool letter_a = is_ascii_letter(a[at]);
  bool letter_b = is_ascii_letter(b[at]);
  if (letter_a && letter_b) return static_cast<unsigned char>(a[at]) < static_cast<unsigned char>(b[at]);
  if (letter_a || letter_b) {
    bool after_digit = at > 0 && is_digit(a[at - 1]);
    return after_digit ? letter_a : letter_b;
  }
  bool carry = false;
  if (a[at] == '0' || b[at] == '0')
    for (std::size_t i = at; i > 0 && is_digit(a[i - 1]); --i) carry = carry || a[i - 1] != '0';
  std::uint64_t number_a = number_at(a, at, carry);
  std::uint64_t number_b = number_at(b, at, carry);
  if (number_a != number_b) return number_a < number_b;
  std::size_t end_a = skip_digits(a, at);
  std::size_t end_b = skip_digits(b, at);
  if (end_a != end_b) return end_a < end_b;
  return static_cast<unsigned char>(a[at]) < static_cast<unsigned char>(b[at]);
}

}  // namespace gost::config
