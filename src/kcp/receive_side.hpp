// ReceiveSide: the half of a KCP session that receives data: what arrived and was not read, and what to acknowledge.
#pragma once

#include "core/bytes.hpp"
#include "kcp/arq_options.hpp"
#include "kcp/sequence.hpp"
#include "kcp/shard_pool.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace gost::kcp {

/// No I/O and no clock. Data that wait for their reader fill the window that the peer sees; beyond it as many again
/// may wait for what is missing in front of them. With nothing unread it holds next to no memory.
class ReceiveSide {
 public:
  ReceiveSide(ShardPool& pool, const ArqOptions& options);

  enum class Arrival : std::uint8_t {
    in_order,
    ahead,      ///< others are missing in front of it
    duplicate,  ///< it was there
    outside,    ///< too far ahead: not even acknowledged
  };
  /// A segment has come; it is noted as to be acknowledged unless it is outside.
  Arrival take(std::uint32_t number, Millis timestamp, Bytes data);

  /// Moves what fits to `into`; how much that is. `opened` is set if the window was shut and is not any more.
  std::size_t read(MutableBytes into, bool& opened);
  /// Bytes that can be read.
  std::size_t readable() const { return bytes_; }
  /// Drops what can be read, for a session that nobody reads any more.
  void discard();

  /// The first number that has not come, and how many segments may come: what every segment that is sent tells.
  std::uint32_t expected() const { return expected_; }
  std::uint16_t window() const;

  struct Acknowledgement {
    std::uint32_t number;
    Millis timestamp;
  };
  std::span<const Acknowledgement> acknowledgements() const { return acknowledgements_; }
  /// The first `count` have been sent.
  void acknowledged(std::size_t count);

 private:
  struct Place {
    ShardPool::Block block;
    std::uint16_t size = 0;
    bool here = false;
  };

  void note(std::uint32_t number, Millis timestamp);
  void advance();
  void drop_first();

  ShardPool& pool_;
  const std::uint32_t window_;
  SequenceRing<Place> places_;
  std::uint32_t first_;     ///< the first that is not read to its end
  std::uint32_t expected_;  ///< the first that is missing, or that the window does not let in
  std::uint32_t behind_;    ///< behind the last that is here
  std::size_t offset_ = 0;  ///< read bytes of the first
  std::size_t bytes_ = 0;
  std::vector<Acknowledgement> acknowledgements_;
};

}  // namespace gost::kcp
