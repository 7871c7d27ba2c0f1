// Integers as KCP and its layers write them: the lowest byte first.
#pragma once

#include "core/bytes.hpp"

#include <bit>
#include <concepts>

namespace gost::kcp {

/// The integer in the first bytes of `bytes`, which has enough of them.
template <std::unsigned_integral T>
T load_le(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}

template <std::unsigned_integral T>
void store_le(std::uint8_t* bytes, T value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(bytes, &value, sizeof value);
}

}  // namespace gost::kcp
