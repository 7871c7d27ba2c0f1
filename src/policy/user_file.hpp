// UserFile: an auther whose users stand in a file that may change while the program runs.
#pragma once

#include "core/error.hpp"
#include "core/snapshot.hpp"
#include "policy/auther.hpp"
#include "policy/reloadable.hpp"
#include "policy/text_file.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gost {

/// The largest users file that is read.
inline constexpr std::size_t kMaxUserFile = kMaxPolicyFile;

/// The users of a file's text: one `user password` per line, separated by the first blank or tab; a password may
/// contain blanks; a word alone is a user with an empty password; empty lines and lines that begin with `#` are
/// skipped. Blanks around a line and around a password do not count. Errors name `file:line`: a control character,
/// which means that this is no text file.
Result<std::vector<User>> parse_users(std::string_view text, std::string_view file);

/// `check` reads a snapshot without a lock, from any thread. `reload` is called by the owner, one call at a time.
class UserFile final : public Authenticator, public Reloadable {
 public:
  /// Reads the file. `inline_users` are accepted besides; the file's entry counts where both have a name.
  /// Errors: the file cannot be read, is too large, or does not parse.
  static Result<std::unique_ptr<UserFile>> open(std::string path, std::vector<User> inline_users = {});

  bool check(std::string_view user, std::string_view password) const override {
    return users_.load()->check(user, password);
  }

  Result<bool> reload() override;
  const std::string& path() const override { return file_.path(); }
  std::size_t size() const { return users_.load()->size(); }

 private:
  UserFile(std::string path, std::vector<User> inline_users);

  TextFile file_;
  std::vector<User> inline_users_;
  Snapshot<UserList> users_{std::make_shared<UserList>()};
};

}  // namespace gost
