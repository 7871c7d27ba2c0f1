#include "kcp/shard_counts.hpp"

#include "kcp/reed_solomon.hpp"

#include <algorithm>
#include <utility>

namespace gost::kcp {

bool ShardCounts::see(std::uint32_t sequence, bool parity) {
  if (!std::exchange(any_, true)) newest_ = sequence;
  auto ahead = static_cast<std::int32_t>(sequence - newest_);
  if (ahead > 0) {
    // The places of the numbers that are passed over hold what was seen a window ago.
    auto passed = std::min(static_cast<std::uint32_t>(ahead), kWindow);
    for (std::uint32_t i = 0; i < passed; ++i) seen_[(sequence - i) % kWindow] = Seen::nothing;
    newest_ = sequence;
  } else if (newest_ - sequence >= kWindow) {
    return false;
  }
  Seen kind = parity ? Seen::parity : Seen::data;
  Seen& place = seen_[sequence % kWindow];
  if (place == Seen::nothing) place = kind;
  return place == kind;
}

std::optional<ShardCounts::Counts> ShardCounts::find() const {
  // From the newest number back: the beginning of a group, the first parity packet before it, the beginning before
  // that.
  std::optional<std::uint32_t> end;
  std::optional<std::uint32_t> first_parity;
  int tried = 0;
  for (std::uint32_t back = 0; back + 1 < kWindow && tried < kPatience; ++back) {
    std::uint32_t sequence = newest_ - back;
    Seen here = at(sequence);
    Seen before = at(sequence - 1);
    if (here == Seen::parity && before == Seen::data) first_parity = sequence;
    if (here != Seen::data || before != Seen::parity) continue;
    if (end && first_parity) {
      Counts counts{*first_parity - sequence, *end - *first_parity};
      if (counts.data + counts.parity <= ReedSolomon::kMostShards && agrees(counts)) return counts;
      ++tried;
    }
    end = sequence;
    first_parity.reset();
  }
  return std::nullopt;
}

bool ShardCounts::agrees(Counts counts) const {
  std::size_t size = counts.data + counts.parity;
  for (std::uint32_t back = 0; back < kWindow; ++back) {
    std::uint32_t sequence = newest_ - back;
    Seen seen = at(sequence);
    if (seen != Seen::nothing && (seen == Seen::parity) != (sequence % size >= counts.data)) return false;
  }
  return true;
}

}  // namespace gost::kcp
