// DatagramBatch: where the datagrams of one receive stand until they have been used; one per loop.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace gost {

/// A datagram that arrived: views into the batch.
struct ReceivedDatagram {
  SocketAddress peer;     ///< where it comes from
  std::string_view name;  ///< where a proxy told a name instead; of `peer` only the port counts then
  Bytes payload;
  /// Which of the own addresses it was sent to, where the end tells (UdpOptions::keep_local); else unspecified.
  IpAddress local{};
};

/// Memory for one receive with many datagrams, and the list of them. The memory comes straight from the kernel: only
/// the pages that were ever used are there.
class DatagramBatch {
 public:
  /// recvmmsg takes so many messages at a time, and each may be a train of datagrams (UDP_GRO).
  static constexpr std::size_t kMessages = 16;
  static constexpr std::size_t kMessageSize = std::size_t{64} * 1024;
  static constexpr std::size_t kCapacity = kMessages * kMessageSize;

  DatagramBatch() = default;
  DatagramBatch(const DatagramBatch&) = delete;
  DatagramBatch& operator=(const DatagramBatch&) = delete;
  ~DatagramBatch();

  /// All of the memory, mapped at its first use.
  MutableBytes memory();
  void clear() { items_.clear(); }
  void add(const ReceivedDatagram& datagram) { items_.push_back(datagram); }
  std::span<const ReceivedDatagram> items() const { return items_; }
  /// Lets `change` alter each datagram in place (a layer takes its header off); where it returns false the datagram
  /// is taken out.
  template <class Change>
  void transform(Change change) {
    std::size_t kept = 0;
    for (ReceivedDatagram& datagram : items_)
      if (change(datagram)) items_[kept++] = datagram;
    items_.resize(kept);
  }

 private:
  std::uint8_t* memory_ = nullptr;
  std::vector<ReceivedDatagram> items_;
};

}  // namespace gost
