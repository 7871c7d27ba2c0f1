// OutgoingList: datagrams between one receive and the send that it leads to.
#pragma once

#include "net/datagram.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace gost {

/// Stands on the stack of the function that moves a batch, so that no session owns room for one. Nothing is
/// initialised that is not used.
class OutgoingList {
 public:
  static constexpr std::size_t kCapacity = 256;

  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == kCapacity; }
  void add(const OutgoingDatagram& datagram) { std::construct_at(items() + size_++, datagram); }
  void clear() { size_ = 0; }
  std::span<const OutgoingDatagram> view() { return {items(), size_}; }

 private:
  static_assert(std::is_trivially_destructible_v<OutgoingDatagram>);
  OutgoingDatagram* items() { return std::launder(reinterpret_cast<OutgoingDatagram*>(memory_.data())); }

  std::size_t size_ = 0;
  alignas(OutgoingDatagram) std::array<std::byte, kCapacity * sizeof(OutgoingDatagram)> memory_;
};

}  // namespace gost
