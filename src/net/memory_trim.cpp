#include "net/memory_trim.hpp"

#include <malloc.h>

#include <algorithm>

namespace gost {

namespace {
/// Fewer connections than this are not worth a trim.
constexpr std::size_t kRush = 512;
}  // namespace

void MemoryTrim::connection_ended(std::size_t left) {
  peak_ = std::max(peak_, left);
  if (peak_ < kRush || left > peak_ / 16) return;
  peak_ = left;
  ::malloc_trim(0);
}

}  // namespace gost
