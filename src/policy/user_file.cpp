#include "policy/user_file.hpp"

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

Result<> refuse_control_characters(std::string_view line, std::string_view file, std::size_t number) {
  for (char c : line)
    if (is_control(c))
      return fail(Cause::invalid, std::string(file) + ":" + std::to_string(number) + ": control character 0x" +
                                      to_hex(as_bytes({&c, 1})) +
                                      "; a users file is plain UTF-8 text with one 'user password' a line");
  return {};
}

User parse_user(std::string_view line) {
  auto end = line.find_first_of(" \t");
  if (end == std::string_view::npos) return {std::string(line), {}};
  return {std::string(line.substr(0, end)), std::string(trim(line.substr(end)))};
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

Result<std::vector<User>> parse_users(std::string_view text, std::string_view file) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<User> users;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (auto clean = refuse_control_characters(line, file, number); !clean) return fail(clean.error());
    users.push_back(parse_user(line));
  }
  return users;
}

Result<std::unique_ptr<UserFile>> UserFile::open(std::string path, std::vector<User> inline_users) {
  std::unique_ptr<UserFile> file(new UserFile(std::move(path), std::move(inline_users)));
  if (auto loaded = file->reload(); !loaded) return fail(loaded.error());
  return file;
}

Result<bool> UserFile::reload() {
  auto found = look();
  if (!found) {
    seen_.reset();
    if (std::exchange(last_error_, found.error().text) == found.error().text) return false;
    return fail(found.error());
  }
  if (seen_ == *found) return false;
  // Taken before reading: a file that changes meanwhile differs from this next time and is read again.
  seen_ = *found;
  last_error_.clear();
  auto text = read();
  if (!text) return fail(text.error());
  auto users = parse_users(*text, path_);
  if (!users) return fail(users.error());
  std::vector<User> all = inline_users_;
  for (User& user : *users) all.push_back(std::move(user));
  users_.store(std::make_shared<UserList>(std::move(all)));
  return true;
}

Result<UserFile::Signature> UserFile::look() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return fail(Error::system(errno, "users file " + path_));
  if (!S_ISREG(status.st_mode)) return fail(Cause::invalid, "users file " + path_ + ": is not a regular file");
  return Signature{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                   nanoseconds(status.st_ctim)};
}

Result<std::string> UserFile::read() const {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return fail(Error::system(errno, "users file " + path_));
  std::string text;
  while (text.size() <= kMaxUserFile) {
    std::size_t have = text.size();
    text.resize(have + 64 * 1024);
    ssize_t size = ::read(file.get(), text.data() + have, text.size() - have);
    if (size < 0 && errno != EINTR) return fail(Error::system(errno, "users file " + path_));
    text.resize(have + static_cast<std::size_t>(size > 0 ? size : 0));
    if (size == 0) return text;
  }
  return fail(Cause::invalid, "users file " + path_ + ": is larger than 16 MiB; split it over several authers");
}

}  // namespace gost
