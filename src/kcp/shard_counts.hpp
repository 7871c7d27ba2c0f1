// ShardCounts: learns how many data and parity packets a peer puts into a group, from the order of both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gost::kcp {

/// Remembers the kind of each of the last 1024 packets by number. Groups begin at multiples of their size, so two
/// places where data follow parity, and one between them where parity follows data, tell the counts; every other
/// packet that is remembered must agree.
class ShardCounts {
 public:
  struct Counts {
    std::size_t data = 0;
    std::size_t parity = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
  };

  /// A packet has come. False if it contradicts one with the same number, or is older than what is remembered.
  bool see(std::uint32_t sequence, bool parity);
  /// What all that was seen agrees with, if it is enough to tell.
  std::optional<Counts> find() const;

 private:
  static constexpr std::uint32_t kWindow = 1024;
  /// So many candidates are looked at.
  static constexpr int kPatience = 8;
  enum class Seen : std::uint8_t { nothing, data, parity };

  Seen at(std::uint32_t sequence) const { return seen_[sequence % kWindow]; }
  bool agrees(Counts counts) const;

  std::array<Seen, kWindow> seen_{};  ///< of the numbers up to newest_
  std::uint32_t newest_ = 0;
  bool any_ = false;
};

}  // namespace gost::kcp
