#include "policy/text_file.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gost {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

}  // namespace

Result<std::optional<std::string>> TextFile::read_if_changed() {
  auto found = look();
  if (!found) {
    seen_.reset();
    if (std::exchange(last_error_, found.error().text) == found.error().text) return std::nullopt;
    return fail(found.error());
  }
  if (seen_ == *found) return std::nullopt;
  // Taken before reading: a file that changes meanwhile differs from this next time and is read again.
  seen_ = *found;
  last_error_.clear();
  auto text = read();
  if (!text) return fail(text.error());
  return std::move(*text);
}

Result<TextFile::Signature> TextFile::look() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return fail(Error::system(errno, name()));
  if (!S_ISREG(status.st_mode)) return fail(Cause::invalid, name() + ": is not a regular file");
  return Signature{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                   nanoseconds(status.st_ctim)};
}

Result<std::string> TextFile::read() const {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return fail(Error::system(errno, name()));
  std::string text;
  while (text.size() <= kMaxPolicyFile) {
    std::size_t have = text.size();
    text.resize(have + 64 * 1024);
    ssize_t size = ::read(file.get(), text.data() + have, text.size() - have);
    if (size < 0 && errno != EINTR) return fail(Error::system(errno, name()));
    text.resize(have + static_cast<std::size_t>(size > 0 ? size : 0));
    if (size == 0) return text;
  }
  return fail(Cause::invalid, name() + ": is larger than 16 MiB; " + advice_);
}

Lines::Lines(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool Lines::next() {
  if (rest_.empty()) return false;
  auto end = rest_.find('\n');
  line_ = trim(rest_.substr(0, end));
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++number_;
  return true;
}

std::string_view without_comment(std::string_view line) {
  return trim(line.substr(0, line.find('#')));
}

Result<> refuse_control_characters(std::string_view line, std::string_view file, std::size_t number,
                                   std::string_view expected) {
  for (char c : line)
    if (is_control(c))
      return fail(Cause::invalid, std::string(file) + ":" + std::to_string(number) + ": control character 0x" +
                                      to_hex(as_bytes({&c, 1})) + "; " + std::string(expected));
  return {};
}

}  // namespace gost
