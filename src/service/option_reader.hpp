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

  std::string text(config::Keys keys) { return value_or(config::get_string(metadata_, keys), std::string()); }
  /// A host for SOCKS replies, which have room for 255 bytes.
  std::string host(config::Keys keys) {
    std::string value = text(keys);
    if (value.size() > 255 && !error_)
      error_ = Error{Cause::invalid, std::string(*keys.begin()) + ": " + std::to_string(value.size()) +
                                         " bytes are more than the 255 that a SOCKS reply can carry"};
    return value;
  }
  /// A number of things; what is not positive means the default, as in GOST.
  std::size_t size(config::Keys keys, std::size_t otherwise) {
    std::int64_t value = integer(keys, 0);
    return value > 0 ? static_cast<std::size_t>(value) : otherwise;
  }
  /// A port; 0 if there is none.
  std::uint16_t port(config::Keys keys) {
    std::int64_t value = integer(keys, 0);
    if (value >= 0 && value <= 65535) return static_cast<std::uint16_t>(value);
    if (!error_)
      error_ = Error{Cause::invalid, std::string(*keys.begin()) + ": " + std::to_string(value) + " is not a port"};
    return 0;
  }
  bool has(config::Keys keys) const {
    for (auto key : keys)
      if (metadata_.find(key) != nullptr) return true;
    return false;
  }

  /// For values that do not fit each other.
  void refuse(std::string text) {
    if (!error_) error_ = Error{Cause::invalid, std::move(text)};
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
