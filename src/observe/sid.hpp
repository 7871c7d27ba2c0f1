// Session ids: one for each accepted connection, in the form of GOST's (an xid).
#pragma once

#include "observe/log_line.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace gost {

/// Twenty characters 0-9a-v, sortable by the second.
class Sid {
 public:
  Sid() { text_.fill('0'); }
  explicit Sid(const std::array<char, 20>& text) : text_(text) {}
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 20> text_;
};

/// Makes ids that are unique among machines and processes. May be used from any thread.
class SidSource {
 public:
  /// For this machine and process, counting from a random number.
  SidSource();
  /// With all parts given, for tests.
  SidSource(std::array<std::uint8_t, 3> machine, std::uint16_t process, std::uint32_t counter);

  /// Base32hex of: seconds since 1970 (4 bytes), machine (3), process (2), counter (3), all big-endian.
  Sid next(WallTime now);

 private:
  std::array<std::uint8_t, 3> machine_;
  std::uint16_t process_;
  std::atomic<std::uint32_t> counter_;
};

}  // namespace gost
