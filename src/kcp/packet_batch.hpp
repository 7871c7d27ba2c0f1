// PacketBatch: packets on their way from sessions to a socket, one behind the other in one buffer.
#pragma once

#include "core/address.hpp"
#include "kcp/packet_crypt.hpp"
#include "net/pools.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace gost::kcp {

/// Holds a borrowed buffer, so it lives for one flush, or until the socket has room for the rest of it.
class PacketBatch {
 public:
  static constexpr std::size_t kMostPackets = 256;

  struct Target {
    SocketAddress peer;
    IpAddress local{};             ///< the own address to send from; unspecified: the system's choice
    PacketCrypt* crypt = nullptr;  ///< seals packets for this peer
  };

  explicit PacketBatch(BufferPool& buffers) : buffer_(buffers.borrow()) {}

  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return used_; }
  /// What is added from now on is for `target`.
  void aim(const Target& target) { runs_.push_back({count_, target}); }
  /// Whether there is room for one more packet of any size.
  bool has_room() const { return count_ < kMostPackets && buffer_.bytes().size() - used_ >= kMaxPacket; }
  /// The room for the next packet, kMaxPacket bytes. Only if has_room().
  MutableBytes room() const { return buffer_.bytes().subspan(used_, kMaxPacket); }
  /// The room holds a packet of `size` bytes now.
  void add(std::size_t size) {
    packets_[count_++] = buffer_.bytes().subspan(used_, size);
    used_ += size;
  }

  /// Packets that are not gone().
  std::size_t left() const { return count_ - gone_; }
  /// The first `count` of these have been sent, or are lost.
  void gone(std::size_t count) { gone_ += count; }

  /// Calls `visit(target, packets)` for what is not gone, in the order of adding.
  template <class Visit>
  void for_each_target(Visit visit) const {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const std::size_t first = std::max(runs_[i].first, gone_);
      const std::size_t end = i + 1 < runs_.size() ? runs_[i + 1].first : count_;
      if (first < end) visit(runs_[i].target, std::span(packets_).subspan(first, end - first));
    }
  }

 private:
  struct Run {
    std::size_t first;
    Target target;
  };

  BufferPool::Buffer buffer_;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::size_t gone_ = 0;
  std::vector<Run> runs_;
  std::array<MutableBytes, kMostPackets> packets_;
};

}  // namespace gost::kcp
