#include "observe/log_target.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace gost {

namespace {
constexpr int kPollMilliseconds = 50;  ///< how soon a waiting writer notices that it shall give up
}  // namespace

std::size_t count_lines(std::string_view bytes) {
  auto lines = static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
  return lines + (bytes.empty() || bytes.ends_with('\n') ? 0 : 1);
}

DescriptorTarget::DescriptorTarget(int descriptor) : descriptor_(descriptor) {
  struct stat status{};
  regular_ = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

std::size_t DescriptorTarget::write_bytes(std::string_view bytes, const std::atomic<bool>& give_up) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    std::size_t piece = bytes.size() - written;
    if (!regular_) {
      if (give_up) break;
      pollfd waiter{descriptor_, POLLOUT, 0};
      int ready = ::poll(&waiter, 1, kPollMilliseconds);
      if (ready < 0 && errno != EINTR) break;
      if (ready <= 0) continue;
      // A pipe that polls writable takes this much without blocking.
      piece = std::min<std::size_t>(piece, PIPE_BUF);
    }
    ssize_t result = ::write(descriptor_, bytes.data() + written, piece);
    if (result > 0) {
      written += static_cast<std::size_t>(result);
    } else if (result < 0 && (errno == EINTR || (errno == EAGAIN && !regular_))) {
      continue;
    } else {
      break;
    }
  }
  bytes_written_ += written;
  return written;
}

std::size_t DescriptorTarget::write(std::string_view lines, const std::atomic<bool>& give_up) {
  if (in_line_) {
    if (write_bytes("\n", give_up) == 0) return count_lines(lines);
    in_line_ = false;
  }
  std::size_t written = write_bytes(lines, give_up);
  in_line_ = written > 0 && lines[written - 1] != '\n';
  return count_lines(lines.substr(written));
}

}  // namespace gost
