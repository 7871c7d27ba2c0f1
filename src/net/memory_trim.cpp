#include "net/memory_trim.hpp"

#include <malloc.h>

#include <algorithm>

namespace gost {

namespace {
/// What fewer connections than this leave behind is not worth a trim.
constexpr std::size_t kRush = 512;
/// Unless nobody is left at all: then the walk disturbs nobody.
constexpr std::size_t kFew = 64;
}  // namespace

void MemoryTrim::connection_ended(std::size_t left) {
  ++ended_;
  peak_ = std::max(peak_, left);
  if (ended_ < (left == 0 ? kFew : kRush) || left > peak_ / 16) return;
  ended_ = 0;
  peak_ = left;
  ::malloc_trim(0);
}

}  // namespace gost
