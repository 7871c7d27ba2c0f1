#include "config/value.hpp"

#include "config/yaml_scalar.hpp"

#include <fmt/format.h>

namespace gost::config {

std::string Origin::to_string() const {
  if (!source) return {};
  if (line == 0) return *source;
  return fmt::format("{}:{}:{}", *source, line, column);
}

Origin origin_of(std::string source) {
  return {std::make_shared<const std::string>(std::move(source)), 0, 0};
}

std::string Value::text() const {
  if (const auto* s = string()) return *s;
  if (!spelling.empty()) return spelling;
  if (const auto* b = boolean()) return *b ? "true" : "false";
  if (const auto* i = integer()) return std::to_string(*i);
  if (const auto* r = real()) return go_float(*r);
  return {};
}

std::string Value::describe() const {
  if (is_null()) return "nothing";
  if (list() != nullptr) return "a list";
  if (map() != nullptr) return "a map";
  if (string() != nullptr) return fmt::format("the text \"{}\"", *string());
  if (boolean() != nullptr) return text();
  return fmt::format("the number {}", text());
}

bool operator==(const Value& a, const Value& b) {
  return a.data == b.data;
}

}  // namespace gost::config
