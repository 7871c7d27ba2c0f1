// The loops of the process: the first runs on the caller's thread, each other one on a thread of its own.
#pragma once

#include "net/io_context.hpp"

#include <memory>
#include <thread>
#include <vector>

namespace gost {

class Workers {
 public:
  /// `count` loops, none running yet.
  explicit Workers(std::size_t count);
  /// Ends and joins the threads.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts the threads of all loops but the first. Signals that the process handles must be blocked by now.
  void start();

  std::size_t size() const { return contexts_.size(); }
  IoContext& operator[](std::size_t index) { return *contexts_[index]; }

 private:
  std::vector<std::unique_ptr<IoContext>> contexts_;
  std::vector<std::thread> threads_;
};

/// How many processors this process may use (its affinity mask).
std::size_t available_processors();

}  // namespace gost
