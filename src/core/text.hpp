// Small helpers on text that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
/// ASCII case-insensitive equality, as metadata keys are compared.
bool iequals(std::string_view a, std::string_view b);
/// The pieces between separators; an empty text gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);
/// A whole decimal number with an optional sign and nothing else; nothing if it does not fit.
std::optional<std::int64_t> parse_int(std::string_view text);
/// Go's strconv.ParseBool: 1 t T true TRUE True 0 f F false FALSE False; nothing for any other text.
std::optional<bool> parse_bool(std::string_view text);

/// The candidate nearest to `word` by edit distance (case-insensitive), if near enough to be a likely misspelling
/// (at most a third of its letters differ); otherwise empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// Compares secrets in a time that depends only on the length of `presented`.
bool constant_time_equal(std::string_view stored, std::string_view presented);

}  // namespace gost
