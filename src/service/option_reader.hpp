// Reads the options of one component one after the other and remembers the first that cannot be used.
#pragma once

#include "config/metadata.hpp"

#include <optional>

namespace gost {

class OptionReader {
 public:
  explicit OptionReader(const config::Metadata& metadata) : metadata_(metadata) {}

  bool boolean(config::Keys keys, bool otherwise) { return value_or(config::get_bool(metadata_, keys), otherwise); }
  std::int64_t integer(config::Keys keys, std::int64_t otherwise) {
    return value_or(config::get_int(metadata_, keys), otherwise);
  }
  Duration duration(config::Keys keys, Duration otherwise) {
    return value_or(config::get_duration(metadata_, keys), otherwise);
  }

  /// The first error, if there was one: "gost.yaml:3:7: readTimeout: …".
  const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  T value_or(Result<std::optional<T>> value, T otherwise) {
    if (value) return value->value_or(otherwise);
    if (!error_) error_ = value.error();
    return otherwise;
  }

  const config::Metadata& metadata_;
  std::optional<Error> error_;
};

}  // namespace gost
