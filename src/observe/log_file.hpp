// LogFile: a log file that can replace itself when it has grown, keep a number of predecessors, and compress them.
// Names and rules are those of lumberjack, which GOST uses.
#pragma once

#include "core/error.hpp"
#include "observe/gzip_job.hpp"
#include "observe/log_line.hpp"
#include "observe/log_target.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost {

struct Rotation {
  std::uint64_t max_bytes = std::uint64_t{100} << 20;  ///< a line that would go beyond begins a new file
  std::int64_t max_age_days = 0;                       ///< older backups are removed; 0 keeps them
  std::int64_t max_backups = 0;                        ///< more backups than this are removed; 0 keeps all
  bool local_time = false;                             ///< backup names in local time rather than UTC
  bool compress = false;                               ///< gzip backups
};

class LogFile final : public LogTarget {
 public:
  /// Opens for appending; parents are made (0755) and the file created (0666, less the umask). What is no regular
  /// file (a FIFO, a device) is written to but never rotated. Errors: the file cannot be opened.
  static Result<std::unique_ptr<LogFile>> open(std::string path, std::optional<Rotation> rotation = {},
                                               WallClock clock = {});
  ~LogFile() override;

  std::size_t write(std::string_view lines, const std::atomic<bool>& give_up) override;
  bool tidy() override;

 private:
  LogFile(std::string path, std::optional<Rotation> rotation, WallClock clock);

  Result<> open_file();
  bool rotate();
  std::string backup_path() const;
  std::uint64_t size() const { return size_at_open_ + out_->bytes_written(); }
  void prune();
  WallTime now() const { return clock_ ? clock_() : std::chrono::system_clock::now(); }

  std::string path_;
  std::optional<Rotation> rotation_;
  WallClock clock_;
  int descriptor_ = -1;
  std::optional<DescriptorTarget> out_;
  std::uint64_t size_at_open_ = 0;
  std::uint64_t limit_ = 0;  ///< rotate when the size would exceed it
  bool prune_due_ = true;
  std::vector<std::string> to_compress_;
  std::optional<GzipJob> job_;
};

}  // namespace gost
