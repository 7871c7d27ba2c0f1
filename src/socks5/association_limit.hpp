// AssociationLimit: how many UDP associations one client address may have at a time, over all loops of a service.
#pragma once

#include "core/address.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace gost::socks5 {

/// A table of counters without a lock; an address counts at a place that nobody outside can foresee. Addresses that
/// share a place share the limit, so it always holds, and a client is refused below it only if a stranger at its
/// place is busy.
class AssociationLimit : public std::enable_shared_from_this<AssociationLimit> {
 public:
  /// One association that counts, until it is destroyed. Keeps the table alive.
  class Slot {
   public:
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (limit_) limit_->leave(place_);
    }

   private:
    friend class AssociationLimit;
    Slot(std::shared_ptr<AssociationLimit> limit, std::size_t place) : limit_(std::move(limit)), place_(place) {}
    std::shared_ptr<AssociationLimit> limit_;
    std::size_t place_;
  };

  /// `most`: per address; 0: any number.
  explicit AssociationLimit(std::size_t most);

  /// Nothing if the client has as many as it may. Any thread.
  std::optional<Slot> enter(const IpAddress& client);
  std::size_t most() const { return most_; }

 private:
  static constexpr std::size_t kPlaces = 16384;
  void leave(std::size_t place) { counts_[place].fetch_sub(1, std::memory_order_relaxed); }

  const std::size_t most_;
  const std::uint64_t seed_;
  std::array<std::atomic<std::uint32_t>, kPlaces> counts_{};
};

}  // namespace gost::socks5
