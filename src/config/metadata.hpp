// Options of a component ("metadata" in GOST): keys without a fixed schema, looked up whatever their case.
#pragma once

#include "config/value.hpp"
#include "core/duration.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::config {

/// A map from option to value. Iterates in the order of the keys' bytes.
class Metadata {
 public:
  using Entries = std::map<std::string, Value, std::less<>>;

  Metadata() = default;
  explicit Metadata(Entries entries) : entries_(std::move(entries)) {}

  bool empty() const { return entries_.empty(); }
  const Entries& entries() const { return entries_; }
  /// Replaces the value of a key that differs only in case.
  void set(std::string key, Value value);
  /// Removes the key, whatever its case.
  void erase(std::string_view key);
  /// The value of the first of `keys` (spellings of one option) that is present; null if none is.
  const Value* find(std::initializer_list<std::string_view> keys) const;
  const Value* find(std::string_view key) const { return find({key}); }

  friend bool operator==(const Metadata&, const Metadata&) = default;

 private:
  Entries entries_;
};

// The getters take the spellings of one option, most important first: `get_int(md, {"udp.bufferSize",
// "udpBufferSize"})`. An absent option, and an empty text, give nullopt, so the caller writes `.value_or(4096)`. A
// value that does not parse is an error "gost.yaml:3:7: udpBufferSize: …" (GOST takes 0).
using Keys = std::initializer_list<std::string_view>;

/// true/false, a number (0 is false), or a text per Go's ParseBool.
Result<std::optional<bool>> get_bool(const Metadata& metadata, Keys keys);
/// A whole number, decimal text, or a boolean (1, 0).
Result<std::optional<std::int64_t>> get_int(const Metadata& metadata, Keys keys);
/// A number of seconds (also as text), or a Go duration "1m30s".
Result<std::optional<Duration>> get_duration(const Metadata& metadata, Keys keys);
/// A number, also as text.
Result<std::optional<double>> get_float(const Metadata& metadata, Keys keys);
/// A scalar as text; nullopt if absent, an error for a list or a map.
Result<std::optional<std::string>> get_string(const Metadata& metadata, Keys keys);
/// A list of scalars, or a text cut at its commas (pieces trimmed, empty ones left out).
Result<std::vector<std::string>> get_list(const Metadata& metadata, Keys keys);

}  // namespace gost::config
