// FecDecoder: restores packets that were lost from those that came (wire.md §12.4, §12.13).
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "kcp/fec.hpp"
#include "kcp/reed_solomon.hpp"
#include "kcp/shard_counts.hpp"
#include "kcp/shard_pool.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace gost::kcp {

/// For one session. Holds copies of the packets of at most three incomplete groups, none longer than a minute, in
/// blocks of a pool that all sessions of a loop share; of complete groups nothing. The peer's numbers of data and
/// parity packets need not be ours: they are learned from what comes (ShardCounts); until then nothing is restored.
class FecDecoder {
 public:
  static constexpr std::size_t kMostGroups = 3;
  static constexpr Duration kLongest = std::chrono::seconds(60);

  /// `own`: what we send with, which the peer probably does too; null: nothing is assumed. `pool` must live as long.
  FecDecoder(std::shared_ptr<const ReedSolomon> own, ShardPool& pool);

  /// Takes a packet of the kind `data` or `parity` (packet_kind) into account; its own segments are the caller's
  /// business. Returns the segments of packets that can be restored now; they may be garbage if the peer cheats. Good
  /// until the next call of this or of expire().
  std::span<const Bytes> decode(Bytes packet, TimePoint now);

  /// Forgets what is older than a minute, as decode() does; for a session to which nothing comes.
  void expire(TimePoint now);
  /// Bytes of memory held.
  std::size_t held() const;

  /// The peer's numbers as far as they are known; zeros: not yet.
  ShardCounts::Counts counts() const;
  std::uint64_t restored() const { return restored_; }  ///< packets
  std::uint64_t dropped() const { return dropped_; }    ///< packets that came twice or too late, or did not fit

 private:
  /// A peer that changes its numbers more often gets no error correction.
  static constexpr int kMostLearned = 8;

  struct Member {
    std::size_t number;  ///< in its group
    ShardPool::Block block;
    std::size_t size;  ///< of [SIZE|segments], or of the parity
  };
  struct Group {
    bool used = false;
    bool complete = false;    ///< nothing can be gained from it any more
    std::uint32_t first = 0;  ///< the number of its first packet
    TimePoint begun;
    std::size_t data = 0;         ///< members that are data
    std::vector<Member> members;  ///< in ascending order of their numbers
  };

  /// Whether the peer's numbers are known, and this packet fits them.
  bool learn(std::uint32_t sequence, bool parity);
  /// The group that begins with `first`; null if it is too old.
  Group* find(std::uint32_t first, TimePoint now);
  /// Keeps a copy; false if it is there already.
  bool insert(Group& group, std::size_t number, Bytes shard);
  void restore(Group& group);
  static void finish(Group& group);

  std::shared_ptr<const ReedSolomon> own_;
  ShardPool& pool_;
  std::shared_ptr<const ReedSolomon> code_;
  ShardCounts learning_;
  int learned_ = 0;
  std::array<Group, kMostGroups> groups_;
  std::vector<ShardPool::Block> blocks_;  ///< of results_
  std::vector<Bytes> results_;
  std::uint64_t restored_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace gost::kcp
