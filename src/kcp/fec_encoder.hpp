// FecEncoder: numbers the packets of one session and makes parity packets for each full group (wire.md §12.4).
#pragma once

#include "core/bytes.hpp"
#include "kcp/fec.hpp"
#include "kcp/reed_solomon.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace gost::kcp {

/// No I/O and no clock. Parity grows with every packet, so nothing but the parity packets themselves is held: one
/// block of memory while a group is incomplete, and after that until release().
class FecEncoder {
 public:
  /// `max_packet`: of what is passed to add(). Parity packets have `headroom` bytes of room in front (kCryptHeader).
  FecEncoder(std::shared_ptr<const ReedSolomon> code, std::size_t max_packet, std::size_t headroom);

  /// `packet` is room of kFecHeader bytes, then KCP's segments, all of it at most `max_packet` bytes. Fills in the
  /// header. Behind the last data packet of a group the parity packets follow: these are returned, each with its
  /// headroom, to be sealed in place and sent (or copied) before the next call of add() or release(). Otherwise none.
  std::span<const MutableBytes> add(MutableBytes packet);

  /// Gives back memory that no incomplete group needs; for a session that has nothing to send.
  void release();
  /// Bytes of memory held.
  std::size_t held() const { return memory_ ? slot_size() * code_->parity() : 0; }
  /// The number of the next packet.
  std::uint32_t next() const { return next_; }
  /// Goes on with that number, the first of a group; for tests of the wrap.
  void set_next(std::uint32_t sequence) { next_ = sequence; }

 private:
  std::size_t slot_size() const { return headroom_ + max_packet_; }
  void take_memory();
  std::span<const MutableBytes> finish_group();

  std::shared_ptr<const ReedSolomon> code_;
  std::size_t max_packet_;
  std::size_t headroom_;
  std::unique_ptr<std::uint8_t[]> memory_;  ///< one slot for each parity packet
  std::vector<std::uint8_t*> sums_;         ///< where the parity bytes of each slot begin
  std::vector<MutableBytes> packets_;
  std::uint32_t next_ = 0;
  std::size_t in_group_ = 0;  ///< data packets of the group so far
  std::size_t longest_ = 0;   ///< parity bytes so far
};

}  // namespace gost::kcp
