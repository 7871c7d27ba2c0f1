#include "net/io_context.hpp"

namespace gost {

namespace {

Task<> stop_later(TaskGroup& group, Duration patience) {
  if (co_await sleep_for(patience) == Outcome::ready) group.stop();
}

}  // namespace

Task<> IoContext::end_background(Duration patience) {
  TaskGroup limit(co_await this_scope());
  if (patience > Duration::zero()) {
    kept_for_later.for_each([](KeptForLater& kept) { kept.end_in_order(); });
    limit.spawn(stop_later(background, patience));
  } else {
    background.stop();
  }
  co_await background.join();
  limit.stop();
  co_await limit.join();
}

}  // namespace gost
