#include "observe/gzip_job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gost {

namespace {
constexpr std::size_t kPiece = 128 * 1024;  ///< some milliseconds of work
}  // namespace

GzipJob::GzipJob(std::string path) : path_(std::move(path)), target_(path_ + ".gz") {
  source_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat status{};
  if (source_ < 0 || ::fstat(source_, &status) != 0) return;
  int target = ::open(target_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, status.st_mode & 0777U);
  if (target < 0) return;
  output_ = ::gzdopen(target, "wb");
  if (output_ == nullptr) {
    ::close(target);
    ::unlink(target_.c_str());
  }
}

GzipJob::~GzipJob() {
  abandon();
  if (source_ >= 0) ::close(source_);
}

bool GzipJob::step() {
  if (output_ == nullptr) return false;
  std::array<char, kPiece> piece;
  ssize_t size = ::read(source_, piece.data(), piece.size());
  if (size < 0 && errno == EINTR) return true;
  if (size > 0 && ::gzwrite(output_, piece.data(), static_cast<unsigned>(size)) == size) return true;
  if (size == 0) {
    succeed();
  } else {
    abandon();
  }
  return false;
}

void GzipJob::succeed() {
  bool complete = ::gzclose(std::exchange(output_, nullptr)) == Z_OK;
  ::unlink(complete ? path_.c_str() : target_.c_str());
}

void GzipJob::abandon() {
  if (output_ == nullptr) return;
  ::gzclose(std::exchange(output_, nullptr));
  ::unlink(target_.c_str());
}

}  // namespace gost
