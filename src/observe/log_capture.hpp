// LogCapture: keeps lines in memory. For tests, of this folder and of others that want to see what was logged.
#pragma once

#include "observe/log.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gost {

class LogCapture final : public LineSink {
 public:
  void append(std::string_view line) override {
    std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  }
  /// The lines since the last call.
  std::vector<std::string> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace gost
