// GzipJob: compresses one file in small steps, so that the log's thread can go on writing lines in between.
#pragma once

#include <string>

struct gzFile_s;

namespace gost {

/// Turns `path` into `path.gz`. The original disappears only after the compressed file is complete; a job that fails
/// or is abandoned removes what it wrote and leaves the original.
class GzipJob {
 public:
  explicit GzipJob(std::string path);
  ~GzipJob();
  GzipJob(const GzipJob&) = delete;
  GzipJob& operator=(const GzipJob&) = delete;

  /// Compresses the next piece; false if the job has ended, well or badly.
  bool step();

 private:
  void succeed();
  void abandon();

  std::string path_;
  std::string target_;
  int source_ = -1;
  gzFile_s* output_ = nullptr;
};

}  // namespace gost
