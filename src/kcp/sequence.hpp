// Numbers that count modulo 2^32: sequence numbers, and the clock of KCP in milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace gost::kcp {

/// Milliseconds since some moment; begins again at 0 after 49 days.
using Millis = std::uint32_t;

/// How far `later` is behind `earlier`; negative if it is in front. For numbers less than 2^31 apart.
constexpr std::int32_t distance(std::uint32_t later, std::uint32_t earlier) {
  return static_cast<std::int32_t>(later - earlier);
}

/// Values of consecutive sequence numbers, each found without a search. Holds memory in proportion to how far the
/// numbers in use are apart.
template <class T>
class SequenceRing {
 public:
  T& operator[](std::uint32_t number) { return places_[number & mask_]; }
  const T& operator[](std::uint32_t number) const { return places_[number & mask_]; }
  std::size_t capacity() const { return places_ ? std::size_t{mask_} + 1 : 0; }

  /// Makes places for `count` numbers from `first` on; the first `used` of them have one already and keep their
  /// value.
  void reserve(std::uint32_t first, std::size_t used, std::size_t count) {
    if (count <= capacity()) return;
    std::size_t bigger = kSmallest;
    while (bigger < count) bigger *= 2;
    auto places = std::make_unique<T[]>(bigger);
    const auto mask = static_cast<std::uint32_t>(bigger - 1);
    for (std::size_t i = 0; i < used; ++i) {
      const std::uint32_t number = first + static_cast<std::uint32_t>(i);
      places[number & mask] = std::move((*this)[number]);
    }
    places_ = std::move(places);
    mask_ = mask;
  }
  /// When no number is in use: gives the memory back, unless it is so little that it is not worth it.
  void release_if_large() {
    if (capacity() <= kKept) return;
    places_.reset();
    mask_ = 0;
  }

 private:
  static constexpr std::size_t kSmallest = 8;
  static constexpr std::size_t kKept = 64;
  std::unique_ptr<T[]> places_;
  std::uint32_t mask_ = 0;
};

}  // namespace gost::kcp
