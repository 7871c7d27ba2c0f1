// Spans of bytes and the checked cursors that every codec reads and writes with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal digits of `bytes`.
std::string to_hex(Bytes bytes);
/// The bytes of a string of hexadecimal digits (blanks allowed); nothing if it is malformed.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

/// Reads from the front of a span. A read beyond the end yields zeros and makes `ok()` false for good, so a decoder
/// may read a whole fixed header and look once.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  std::uint8_t u8() { return take(1) ? bytes_[position_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16_be() {
    if (!take(2)) return 0;
    return static_cast<std::uint16_t>(bytes_[position_ - 2] << 8 | bytes_[position_ - 1]);
  }
  /// The next `count` bytes, or an empty span (and `ok()` false) if there are fewer.
  Bytes bytes(std::size_t count) { return take(count) ? bytes_.subspan(position_ - count, count) : Bytes{}; }

 private:
  bool take(std::size_t count) {
    if (!ok_ || remaining() < count) {
      ok_ = false;
      return false;
    }
    position_ += count;
    return true;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

/// A message under construction in a fixed buffer of `Capacity` bytes; what does not fit makes `ok()` false.
template <std::size_t Capacity>
class MessageBuffer {
 public:
  MessageBuffer& u8(std::uint8_t value) {
    if (fits(1)) data_[size_++] = value;
    return *this;
  }
  MessageBuffer& u16_be(std::uint16_t value) {
    return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value));
  }
  MessageBuffer& bytes(Bytes bytes) {
    if (!bytes.empty() && fits(bytes.size())) {
      std::memcpy(data_.data() + size_, bytes.data(), bytes.size());
      size_ += bytes.size();
    }
    return *this;
  }

  bool ok() const { return ok_; }
  std::size_t size() const { return size_; }
  Bytes view() const { return {data_.data(), size_}; }

 private:
  bool fits(std::size_t count) {
    if (Capacity - size_ < count) ok_ = false;
    return ok_;
  }

  std::array<std::uint8_t, Capacity> data_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace gost
