#include "observe/log_file.hpp"

#include "observe/log_backups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

namespace gost {

namespace {

void make_parents(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0755);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

LogFile::LogFile(std::string path, std::optional<Rotation> rotation, WallClock clock)
    : path_(std::move(path)), rotation_(rotation), clock_(std::move(clock)) {}

LogFile::~LogFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<LogFile>> LogFile::open(std::string path, std::optional<Rotation> rotation, WallClock clock) {
  make_parents(path);
  std::unique_ptr<LogFile> file(new LogFile(std::move(path), rotation, std::move(clock)));
  if (auto opened = file->open_file(); !opened) return fail(opened.error());
  return file;
}

Result<> LogFile::open_file() {
  // Non-blocking matters only for a FIFO: without a reader it is refused rather than waited for.
  int descriptor = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
  if (descriptor < 0) return fail(Error::system(errno, "open " + path_));
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = descriptor;
  out_.emplace(descriptor);
  struct stat status{};
  ::fstat(descriptor, &status);
  size_at_open_ = out_->is_regular_file() ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (!out_->is_regular_file()) rotation_.reset();
  if (rotation_) limit_ = rotation_->max_bytes;
  return {};
}

std::size_t LogFile::write(std::string_view lines, const std::atomic<bool>& give_up) {
  if (!rotation_) return out_->write(lines, give_up);
  std::size_t lost = 0;
  while (!lines.empty()) {
    std::uint64_t room = limit_ > size() ? limit_ - size() : 0;
    std::size_t piece = lines.size();
    if (piece > room) {
      auto end = room > 0 ? lines.rfind('\n', room - 1) : std::string_view::npos;
      if (end == std::string_view::npos && size() > 0) {
        if (rotate()) continue;
        // Going on in the old file loses no line; the next attempt comes after as many bytes again.
        limit_ = size() + lines.size() + rotation_->max_bytes;
        return lost + out_->write(lines, give_up);
      }
      // A single line longer than the limit gets a file of its own.
      piece = (end == std::string_view::npos ? lines.find('\n') : end) + 1;
    }
    lost += out_->write(lines.substr(0, piece), give_up);
    lines.remove_prefix(piece);
  }
  return lost;
}

bool LogFile::rotate() {
  if (::rename(path_.c_str(), backup_path().c_str()) != 0 || !open_file()) return false;
  prune_due_ = true;
  return true;
}

std::string LogFile::backup_path() const {
  WallTime when = now();
  for (;; when += std::chrono::milliseconds(1)) {
    std::string path = backup_name(path_, when, rotation_->local_time);
    if (!exists(path) && !exists(path + ".gz")) return path;
  }
}

bool LogFile::tidy() {
  if (!rotation_) return false;
  if (job_) {
    if (!job_->step()) job_.reset();
  } else if (prune_due_) {
    prune();
  } else if (!to_compress_.empty()) {
    job_.emplace(std::move(to_compress_.back()));
    to_compress_.pop_back();
  }
  return job_ || prune_due_ || !to_compress_.empty();
}

void LogFile::prune() {
  prune_due_ = false;
  to_compress_.clear();
  auto oldest = now() - std::chrono::days(rotation_->max_age_days);
  std::set<std::string> kept;
  for (const LogBackup& backup : list_backups(path_, rotation_->local_time)) {
    bool surplus = rotation_->max_backups > 0 && !kept.contains(backup.stem) &&
                   kept.size() >= static_cast<std::size_t>(rotation_->max_backups);
    bool aged = rotation_->max_age_days > 0 && backup.time < oldest;
    if (surplus || aged) {
      ::unlink(backup.path.c_str());
      continue;
    }
    kept.insert(backup.stem);
    if (rotation_->compress && !backup.compressed) to_compress_.push_back(backup.path);
  }
}

}  // namespace gost
