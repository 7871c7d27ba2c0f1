// LogWriter: one thread that does all of the log's I/O, so that no loop ever waits for a disk or a terminal.
//
// Written by hand rather than with spdlog: rotation, batching and the form of a line are GOST's own, and what would
// be left for the library is a queue.
#pragma once

#include "observe/log.hpp"
#include "observe/log_target.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace gost {

struct WriterOptions {
  std::size_t capacity = std::size_t{4} << 20;  ///< bytes that may wait; more lines are dropped and counted
  std::chrono::milliseconds pause{5};           ///< least time between two batches: bounds the wake-ups
  std::chrono::milliseconds last_flush{1000};   ///< how long the destructor waits for the target
  LogFormat format = LogFormat::json;           ///< form of the line that reports lost lines
};

/// A bounded buffer and the thread that empties it into a target, many lines at a time.
class LogWriter final : public LineSink {
 public:
  explicit LogWriter(std::unique_ptr<LogTarget> target, WriterOptions options = {});
  /// Flushes for at most `last_flush`, then ends the thread; what is unwritten by then is lost.
  ~LogWriter() override;
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Copies the line into the buffer, or counts it as lost if the buffer is full.
  void append(std::string_view line) override;

  /// Waits until every line appended before the call has been handed to the target, at most `timeout`; false if the
  /// time did not suffice.
  bool flush(std::chrono::milliseconds timeout);

  /// Lines that were not written since the start: the buffer was full or the target failed.
  std::uint64_t lost() const { return lost_total_.load(std::memory_order_relaxed); }

 private:
  struct Buffer {
    std::unique_ptr<char[]> data;
    std::size_t size = 0;
  };

  void run();
  bool wait_for_lines(std::unique_lock<std::mutex>& lock);
  void write_batch(const Buffer& batch, std::uint64_t lost);
  bool report_lost(std::uint64_t lost);
  void tidy_until_lines_arrive();

  const WriterOptions options_;
  const std::unique_ptr<LogTarget> target_;
  std::atomic<bool> give_up_{false};
  std::atomic<std::uint64_t> lost_total_{0};

  std::mutex mutex_;
  std::condition_variable work_;     ///< lines arrived, or the thread shall hurry or end
  std::condition_variable written_;  ///< `done_` moved
  Buffer filling_;
  std::uint64_t appended_ = 0;  ///< bytes accepted so far
  std::uint64_t done_ = 0;      ///< bytes handed to the target so far
  std::uint64_t lost_ = 0;      ///< lines lost since the last report
  bool idle_ = false;           ///< the thread sleeps until `work_`
  bool hurry_ = false;          ///< skip the pause: a flush waits, or the buffer fills up
  bool stopping_ = false;

  Buffer writing_;  ///< only the thread touches it
  std::thread thread_;
};

}  // namespace gost
