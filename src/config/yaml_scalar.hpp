// What an unquoted YAML scalar means to GOST's YAML library (Go's yaml.v3): the reader types values with it and the
// writer quotes every string that would be read as something else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace gost::config {

/// monostate: null; string: plain text. An integer beyond int64 becomes a float.
using PlainScalar = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

PlainScalar resolve_plain(std::string_view text);

/// The key that merges other maps into its own, if it stands there without quotes.
inline constexpr std::string_view kMergeKey = "<<";

/// True if the text must be quoted to stay a string: it resolves to another type, is a date or the merge key, or was
/// a boolean ("yes") or a base-60 number ("10:30") in YAML 1.1.
bool needs_quotes(std::string_view text);

/// Go's strconv.FormatFloat(value, 'g', -1, 64), with YAML's ".inf" and ".nan".
std::string go_float(double value);

/// The order in which yaml.v3 prints the keys of a map: runs of digits by their number, other signs before letters.
bool yaml_key_less(std::string_view a, std::string_view b);

}  // namespace gost::config
