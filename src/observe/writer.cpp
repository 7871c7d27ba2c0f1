#include "observe/writer.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <string>
#include <utility>

namespace gost {

namespace {

/// Starts a thread in which every signal is blocked: signals are the loops' business, and a SIGPIPE of the log's own
/// write must not end the program.
template <class Body>
std::thread start_without_signals(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

LogWriter::LogWriter(std::unique_ptr<LogTarget> target, WriterOptions options)
    : options_(options), target_(std::move(target)) {
  // Not initialised, so the kernel hands out pages only as far as the buffers were ever filled.
  filling_.data = std::make_unique_for_overwrite<char[]>(options_.capacity);
  writing_.data = std::make_unique_for_overwrite<char[]>(options_.capacity);
  thread_ = start_without_signals([this] { run(); });
}

LogWriter::~LogWriter() {
  flush(options_.last_flush);
  give_up_ = true;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void LogWriter::append(std::string_view line) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (options_.capacity - filling_.size < line.size()) {
      ++lost_;
      lost_total_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    std::memcpy(filling_.data.get() + filling_.size, line.data(), line.size());
    filling_.size += line.size();
    appended_ += line.size();
    bool filling_up = filling_.size > options_.capacity / 2;
    wake = idle_ || (filling_up && !hurry_);
    idle_ = false;
    hurry_ = hurry_ || filling_up;
  }
  if (wake) work_.notify_one();
}

bool LogWriter::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  std::uint64_t goal = appended_;
  hurry_ = true;
  work_.notify_one();
  return written_.wait_for(lock, timeout, [&] { return done_ >= goal; });
}

bool LogWriter::wait_for_lines(std::unique_lock<std::mutex>& lock) {
  idle_ = true;
  work_.wait(lock, [&] { return filling_.size > 0 || stopping_; });
  idle_ = false;
  return filling_.size > 0;
}

void LogWriter::run() {
  std::unique_lock lock(mutex_);
  while (wait_for_lines(lock)) {
    std::swap(filling_, writing_);
    std::uint64_t lost = std::exchange(lost_, 0);
    hurry_ = false;
    lock.unlock();
    write_batch(writing_, lost);
    lock.lock();

    done_ += writing_.size;
    writing_.size = 0;
    written_.notify_all();
    lock.unlock();
    tidy_until_lines_arrive();
    lock.lock();
    work_.wait_for(lock, options_.pause, [&] { return hurry_ || stopping_; });
  }
}

void LogWriter::write_batch(const Buffer& batch, std::uint64_t lost) {
  std::size_t failed = target_->write({batch.data.get(), batch.size}, give_up_);
  lost_total_.fetch_add(failed, std::memory_order_relaxed);
  if (failed == 0 && (lost == 0 || report_lost(lost))) return;
  std::lock_guard lock(mutex_);
  lost_ += lost + failed;
}

bool LogWriter::report_lost(std::uint64_t lost) {
  std::string text = fmt::format("{} log lines were lost here: the log's destination was too slow or failed", lost);
  std::string line;
  append_line(line, {.format = options_.format}, std::chrono::system_clock::now(), Level::warn, text, {}, {}, {});
  return target_->write(line, give_up_) == 0;
}

void LogWriter::tidy_until_lines_arrive() {
  while (target_->tidy()) {
    std::lock_guard lock(mutex_);
    if (filling_.size > 0 || stopping_) return;
  }
}

}  // namespace gost
