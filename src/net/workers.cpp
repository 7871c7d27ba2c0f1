#include "net/workers.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <string>

namespace gost {

Workers::Workers(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) contexts_.push_back(std::make_unique<IoContext>());
}

Workers::~Workers() {
  for (std::size_t i = 0; i < threads_.size(); ++i) contexts_[i + 1]->loop.quit();
  for (auto& thread : threads_) thread.join();
}

void Workers::start() {
  for (std::size_t i = 1; i < contexts_.size(); ++i) {
    threads_.emplace_back([&context = *contexts_[i]] { context.loop.run(); });
    ::pthread_setname_np(threads_.back().native_handle(), ("gost-loop-" + std::to_string(i)).c_str());
  }
}

std::size_t available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

}  // namespace gost
