#include "runtime/timer.hpp"

#include <algorithm>

namespace gost {

namespace {
constexpr std::size_t kArity = 4;
}

void TimerHeap::place(Timer* timer, std::size_t index) {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerHeap::sift_up(std::size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    std::size_t parent = (index - 1) / kArity;
    if (heap_[parent]->when_ <= timer->when_) break;
    place(heap_[parent], index);
    index = parent;
  }
  place(timer, index);
}

void TimerHeap::sift_down(std::size_t index) {
  Timer* timer = heap_[index];
  for (;;) {
    std::size_t first = index * kArity + 1;
    if (first >= heap_.size()) break;
    std::size_t last = std::min(first + kArity, heap_.size());
    std::size_t best = first;
    for (std::size_t child = first + 1; child < last; ++child)
      if (heap_[child]->when_ < heap_[best]->when_) best = child;
    if (timer->when_ <= heap_[best]->when_) break;
    place(heap_[best], index);
    index = best;
  }
  place(timer, index);
}

void TimerHeap::arm(Timer& timer, TimePoint when) {
  disarm(timer);
  timer.when_ = when;
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void TimerHeap::disarm(Timer& timer) {
  if (!timer.armed()) return;
  std::size_t index = timer.index_;
  timer.index_ = Timer::kNone;
  Timer* moved = heap_.back();
  heap_.pop_back();
  if (moved == &timer) return;
  place(moved, index);
  sift_up(index);
  sift_down(moved->index_);
}

void TimerHeap::expire(TimePoint now) {
  while (!heap_.empty() && heap_.front()->when_ <= now) {
    Timer& timer = *heap_.front();
    disarm(timer);
    timer.fire_(timer);
  }
}

}  // namespace gost
