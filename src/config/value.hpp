// A configuration as it was written: a tree of typed values, each with the place it came from.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gost::config {

/// The place where something was written: a file with line and column (from 1), or an argument such as "-L #1" (line
/// 0).
struct Origin {
  std::shared_ptr<const std::string> source;
  unsigned line = 0;
  unsigned column = 0;

  /// "gost.yaml:3:7", "-L #1", or nothing for a value that the program made itself.
  std::string to_string() const;
  /// Where a value was written is no part of the value.
  friend bool operator==(const Origin&, const Origin&) { return true; }
};

/// An origin without line and column: a whole file or a command line argument.
Origin origin_of(std::string source);

struct Member;

/// One node of the tree. Maps keep the order of the source; their keys are unique, whatever the case.
struct Value {
  using List = std::vector<Value>;
  using Map = std::vector<Member>;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;
  /// How a boolean or a number was spelled ("0123", "1e3"); not part of the value.
  std::string spelling;
  Origin origin;

  Value() = default;
  template <class T>
  explicit Value(T content, Origin where = {}) : data(std::move(content)), origin(std::move(where)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  const bool* boolean() const { return std::get_if<bool>(&data); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data); }
  const double* real() const { return std::get_if<double>(&data); }
  const std::string* string() const { return std::get_if<std::string>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  const Map* map() const { return std::get_if<Map>(&data); }

  /// "a list", "the text \"x\"", "the number 3": for messages.
  std::string describe() const;
  /// A scalar as text, as it was spelled; nothing for lists and maps.
  std::string text() const;

  friend bool operator==(const Value& a, const Value& b);
};

struct Member {
  std::string key;
  Value value;
  Origin origin;  ///< of the key

  friend bool operator==(const Member&, const Member&) = default;
};

/// What a reader of files refuses: more bytes, deeper nesting, more values (aliases counted as often as they are
/// used), longer keys.
struct ReadLimits {
  std::size_t bytes = std::size_t{10} * 1024 * 1024;
  std::size_t depth = 64;
  std::size_t values = 1'000'000;
  std::size_t key_bytes = 128;
  std::size_t map_keys = 4096;  ///< keys of one map
};

/// The single document of a YAML text. `source` names it in errors ("gost.yaml"), which read "gost.yaml:3:7: …".
/// Types are resolved as GOST's YAML library does: YAML 1.2 core plus octal "0755" and "_" in numbers.
Result<Value> parse_yaml(std::string_view text, const std::string& source, const ReadLimits& limits = {});

/// A JSON text, otherwise as `parse_yaml`.
Result<Value> parse_json(std::string_view text, const std::string& source, const ReadLimits& limits = {});

}  // namespace gost::config
