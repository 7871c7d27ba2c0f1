#include "config/metadata.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace gost::config {

namespace {

constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;

std::unexpected<Error> unusable(Keys keys, const Value& value, std::string_view wanted) {
  std::string where = value.origin.to_string();
  return fail(Cause::invalid, fmt::format("{}{}{}: {} is not {}", where, where.empty() ? "" : ": ", *keys.begin(),
                                          value.describe(), wanted));
}

/// The value to look at; null if the option is absent or empty.
const Value* given(const Metadata& metadata, Keys keys) {
  const Value* value = metadata.find(keys);
  if (value == nullptr || value->is_null()) return nullptr;
  if (const auto* text = value->string(); text != nullptr && trim(*text).empty()) return nullptr;
  return value;
}

std::optional<Duration> seconds(std::int64_t count) {
  if (count > kMaxSeconds || count < -kMaxSeconds) return std::nullopt;
  return std::chrono::seconds(count);
}

std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

void Metadata::set(std::string key, Value value) {
  erase(key);
  entries_.emplace(std::move(key), std::move(value));
}

void Metadata::erase(std::string_view key) {
  std::erase_if(entries_, [&](const auto& entry) { return iequals(entry.first, key); });
}

const Value* Metadata::find(std::initializer_list<std::string_view> keys) const {
  for (std::string_view wanted : keys)
    for (const auto& [key, value] : entries_)
      if (iequals(key, wanted)) return &value;
  return nullptr;
}

Result<std::optional<bool>> get_bool(const Metadata& metadata, Keys keys) {
  const Value* value = given(metadata, keys);
  if (value == nullptr) return std::nullopt;
  if (const auto* b = value->boolean()) return *b;
  if (const auto* i = value->integer()) return *i != 0;
  if (const auto* s = value->string())
    if (auto parsed = parse_bool(*s)) return *parsed;
  return unusable(keys, *value, "true or false");
}

Result<std::optional<std::int64_t>> get_int(const Metadata& metadata, Keys keys) {
  const Value* value = given(metadata, keys);
  if (value == nullptr) return std::nullopt;
  if (const auto* b = value->boolean()) return *b ? 1 : 0;
  if (const auto* i = value->integer()) return *i;
  if (const auto* r = value->real(); r != nullptr && std::trunc(*r) == *r && std::abs(*r) < 1e15)
    return static_cast<std::int64_t>(*r);
  if (const auto* s = value->string())
    if (auto parsed = parse_int(*s)) return *parsed;
  return unusable(keys, *value, "a whole number");
}

Result<std::optional<Duration>> get_duration(const Metadata& metadata, Keys keys) {
  constexpr std::string_view kWanted = "a duration such as \"30s\" or \"1m30s\", or a number of seconds";
  const Value* value = given(metadata, keys);
  if (value == nullptr) return std::nullopt;
  std::optional<Duration> result;
  if (const auto* i = value->integer()) {
    result = seconds(*i);
  } else if (const auto* r = value->real(); r != nullptr && std::abs(*r) < static_cast<double>(kMaxSeconds)) {
    result = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*r));
  } else if (const auto* s = value->string()) {
    if (auto parsed = parse_duration(*s)) return *parsed;
    if (auto count = parse_int(*s)) result = seconds(*count);
  }
  if (!result) return unusable(keys, *value, kWanted);
  return result;
}

Result<std::optional<double>> get_float(const Metadata& metadata, Keys keys) {
  const Value* value = given(metadata, keys);
  if (value == nullptr) return std::nullopt;
  if (const auto* i = value->integer()) return static_cast<double>(*i);
  if (const auto* r = value->real()) return *r;
  if (const auto* s = value->string())
    if (auto parsed = parse_real(*s)) return *parsed;
  return unusable(keys, *value, "a number");
}

Result<std::optional<std::string>> get_string(const Metadata& metadata, Keys keys) {
  const Value* value = metadata.find(keys);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (value->list() != nullptr || value->map() != nullptr) return unusable(keys, *value, "a text");
  return value->text();
}

Result<std::vector<std::string>> get_list(const Metadata& metadata, Keys keys) {
  std::vector<std::string> result;
  const Value* value = given(metadata, keys);
  if (value == nullptr) return result;
  if (value->map() != nullptr) return unusable(keys, *value, "a list");
  if (const auto* items = value->list()) {
    for (const Value& item : *items) {
      if (item.list() != nullptr || item.map() != nullptr) return unusable(keys, item, "a text");
      result.push_back(item.text());
    }
    return result;
  }
  std::string text = value->text();
  for (std::string_view piece : split(text, ','))
    if (!trim(piece).empty()) result.emplace_back(trim(piece));
  return result;
}

}  // namespace gost::config
