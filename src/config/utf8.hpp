// Reading UTF-8 by code points (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace gost::config {

/// Walks over a text. A byte that belongs to no valid sequence counts as U+FFFD and makes `ok()` false.
class Utf8Reader {
 public:
  explicit Utf8Reader(std::string_view text) : text_(text) {}

  /// The next code point, or nothing at the end.
  std::optional<char32_t> next();
  std::size_t position() const { return at_; }
  bool ok() const { return ok_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

bool is_utf8(std::string_view text);

}  // namespace gost::config
