#include "tls/file.hpp"

#include "net/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace gost::tls {

namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 20;

Result<> write_whole(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Error::system(errno));
    done += static_cast<std::size_t>(written);
  }
  return ::fsync(fd) == 0 ? Result<>() : fail(Error::system(errno));
}

}  // namespace

std::vector<std::optional<WatchedFiles::Stamp>> WatchedFiles::stamps() const {
  std::vector<std::optional<Stamp>> stamps;
  for (const std::string& path : paths_) {
    struct stat status{};
    bool found = !path.empty() && ::stat(path.c_str(), &status) == 0;
    stamps.push_back(found ? std::optional(Stamp{status.st_dev, status.st_ino, status.st_size,
                                                 status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec})
                           : std::nullopt);
  }
  return stamps;
}

bool WatchedFiles::changed() {
  return std::exchange(seen_, stamps()) != seen_;
}

bool is_there(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0;
}

Result<std::string> read_small_file(const std::string& path, const std::string& kind) {
  std::string name = kind + " " + path;
  // Without O_NONBLOCK a named pipe would stop the program here.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(Error::system(errno, name));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(Error::system(errno, name));
  if (!S_ISREG(status.st_mode)) return fail(Cause::invalid, name + " is not a regular file");
  std::string text;
  while (text.size() <= kMaxSize) {
    std::size_t have = text.size();
    text.resize(have + 16 * 1024);
    ssize_t size = ::read(file.get(), text.data() + have, text.size() - have);
    if (size < 0 && errno != EINTR) return fail(Error::system(errno, name));
    text.resize(have + static_cast<std::size_t>(size > 0 ? size : 0));
    if (size == 0) return text;
  }
  return fail(Cause::invalid, name + " is larger than 1 MiB: not a file of certificates or keys");
}

Result<> replace_file(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  Fd file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file) return fail(Error::system(errno, path));
  auto written = write_whole(file.get(), text);
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  Error error = written ? Error::system(errno) : written.error();
  ::unlink(temporary.c_str());
  return fail(error.in(path));
}

}  // namespace gost::tls
