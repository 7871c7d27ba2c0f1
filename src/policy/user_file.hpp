// UserFile: an auther whose users stand in a file that may change while the program runs.
#pragma once

#include "core/error.hpp"
#include "core/snapshot.hpp"
#include "policy/auther.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

/// The largest users file that is read.
inline constexpr std::size_t kMaxUserFile = std::size_t{16} << 20;

/// The users of a file's text: one `user password` per line, separated by the first blank or tab; a password may
/// contain blanks; a word alone is a user with an empty password; empty lines and lines that begin with `#` are
/// skipped. Blanks around a line and around a password do not count. Errors name `file:line`: a control character,
/// which means that this is no text file.
Result<std::vector<User>> parse_users(std::string_view text, std::string_view file);

/// `check` reads a snapshot without a lock, from any thread. `reload` is called by the owner, one call at a time.
class UserFile final : public Authenticator {
 public:
  /// Reads the file. `inline_users` are accepted besides; the file's entry counts where both have a name.
  /// Errors: the file cannot be read, is too large, or does not parse.
  static Result<std::unique_ptr<UserFile>> open(std::string path, std::vector<User> inline_users = {});

  bool check(std::string_view user, std::string_view password) const override {
    return users_.load()->check(user, password);
  }

  /// Reads the file again if it changed; true if its users are now the new ones. After an error (said once for each
  /// change of the file) the old users stay.
  Result<bool> reload();

  const std::string& path() const { return path_; }
  std::size_t size() const { return users_.load()->size(); }

 private:
  /// By what a change is recognised.
  struct Signature {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Signature&, const Signature&) = default;
  };

  UserFile(std::string path, std::vector<User> inline_users)
      : path_(std::move(path)), inline_users_(std::move(inline_users)) {}

  Result<Signature> look() const;
  Result<std::string> read() const;

  std::string path_;
  std::vector<User> inline_users_;
  std::optional<Signature> seen_;  ///< of the file that was last read, well or badly; empty while it cannot be found
  std::string last_error_;
  Snapshot<UserList> users_{std::make_shared<UserList>()};
};

}  // namespace gost
