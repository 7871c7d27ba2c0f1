#include "runtime/scheduling.hpp"

namespace gost {
namespace {

// Of batches in a second. They get larger and fewer as soon as the thread is SCHED_BATCH, hence two limits.
constexpr std::int64_t kOften = 10'000;
constexpr std::int64_t kSeldom = 1'000;

bool change_policy(int from, int to) {
  const sched_param none{};
  return ::sched_getscheduler(0) == from && ::sched_setscheduler(0, to, &none) == 0;
}

}  // namespace

void Scheduling::judge(TimePoint now) {
  // The span is longer than it should be where the thread has slept.
  const auto per_second = batches_ * Duration(std::chrono::seconds(1)) / (now - begin_);
  const bool batch = per_second >= (batch_ ? kSeldom : kOften);
  if (batch != batch_ && !refused_) {
    refused_ = !change_policy(batch_ ? SCHED_BATCH : SCHED_OTHER, batch ? SCHED_BATCH : SCHED_OTHER);
    batch_ = batch && !refused_;
  }
  begin_ = now;
  batches_ = 0;
}

}  // namespace gost
