#include "core/duration.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace gost {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr std::array kUnits{
    Unit{"ns", 1},         Unit{"us", 1'000},        Unit{"\u00b5s", 1'000},    Unit{"\u03bcs", 1'000},
    Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000},
};
constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::unexpected<Error> bad(std::string_view what, std::string_view text) {
  return fail(Cause::invalid, "time: " + std::string(what) + "duration " + quoted(text));
}

std::string with_fraction(std::uint64_t value, std::uint64_t unit, std::string_view suffix) {
  std::string text = std::to_string(value / unit);
  if (std::uint64_t rest = value % unit; rest != 0) {
    std::string digits = std::to_string(unit + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text.append(suffix);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration::zero();
  if (rest.empty()) return bad("invalid ", text);

  std::uint64_t total = 0;
  while (!rest.empty()) {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0;
    std::uint64_t scale = 1;
    std::size_t digits = 0;
    for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), ++digits) {
      if (whole > kMax / 10) return bad("invalid ", text);
      whole = whole * 10 + static_cast<std::uint64_t>(rest[0] - '0');
    }
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), ++digits) {
        if (scale > kMax / 100) continue;  // beyond a nanosecond's precision
        fraction = fraction * 10 + static_cast<std::uint64_t>(rest[0] - '0');
        scale *= 10;
      }
    }
    if (digits == 0) return bad("invalid ", text);
    std::size_t length = 0;
    while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
    std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    if (name.empty()) return bad("missing unit in ", text);

    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits)
      if (candidate.name == name) unit = &candidate;
    if (unit == nullptr) return bad("unknown unit " + quoted(name) + " in ", text);
    if (whole > kMax / unit->nanoseconds) return bad("invalid ", text);
    auto part = static_cast<std::uint64_t>(static_cast<double>(fraction) *
                                           (static_cast<double>(unit->nanoseconds) / static_cast<double>(scale)));
    std::uint64_t value = whole * unit->nanoseconds + part;
    if (value > kMax || total > kMax - value) return bad("invalid ", text);
    total += value;
  }
  auto signed_total = static_cast<std::int64_t>(total);
  return Duration(negative ? -signed_total : signed_total);
}

std::string to_string(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  bool negative = duration.count() < 0;
  std::uint64_t value =
      negative ? 0 - static_cast<std::uint64_t>(duration.count()) : static_cast<std::uint64_t>(duration.count());
  std::string text;
  if (value < 1'000) {
    text = std::to_string(value) + "ns";
  } else if (value < 1'000'000) {
    text = with_fraction(value, 1'000, "\u00b5s");
  } else if (value < 1'000'000'000) {
    text = with_fraction(value, 1'000'000, "ms");
  } else {
    std::uint64_t minutes = value / 60'000'000'000;
    if (minutes >= 60) text = std::to_string(minutes / 60) + "h";
    if (minutes > 0) text += std::to_string(minutes % 60) + "m";
    text += with_fraction(value % 60'000'000'000, 1'000'000'000, "s");
  }
  return negative ? "-" + text : text;
}

}  // namespace gost
