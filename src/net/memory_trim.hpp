// Giving memory back to the system after a rush.
#pragma once

#include <cstddef>

namespace gost {

/// The allocator keeps what thousands of closed connections had. One per loop; told when a connection ends, it
/// returns that memory when few are left of many that have ended since the last time, so that the walk through the
/// heap is rare.
class MemoryTrim {
 public:
  /// `left`: connections that the loop still has.
  void connection_ended(std::size_t left);

 private:
  std::size_t ended_ = 0;  ///< since the last trim
  std::size_t peak_ = 0;   ///< most that were left since then
};

}  // namespace gost
