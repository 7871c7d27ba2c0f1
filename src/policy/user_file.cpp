#include "policy/user_file.hpp"

#include "core/text.hpp"

#include <utility>

namespace gost {

namespace {

constexpr std::string_view kExpected = "a users file is plain UTF-8 text with one 'user password' a line";

User parse_user(std::string_view line) {
  auto end = line.find_first_of(" \t");
  if (end == std::string_view::npos) return {std::string(line), {}};
  return {std::string(line.substr(0, end)), std::string(trim(line.substr(end)))};
}

}  // namespace

Result<std::vector<User>> parse_users(std::string_view text, std::string_view file) {
  std::vector<User> users;
  for (Lines lines(text); lines.next();) {
    if (lines.line().empty() || lines.line().starts_with('#')) continue;
    if (auto clean = refuse_control_characters(lines.line(), file, lines.number(), kExpected); !clean)
      return fail(clean.error());
    users.push_back(parse_user(lines.line()));
  }
  return users;
}

UserFile::UserFile(std::string path, std::vector<User> inline_users)
    : file_("users file", "split it over several authers", std::move(path)), inline_users_(std::move(inline_users)) {}

Result<std::unique_ptr<UserFile>> UserFile::open(std::string path, std::vector<User> inline_users) {
  std::unique_ptr<UserFile> file(new UserFile(std::move(path), std::move(inline_users)));
  if (auto loaded = file->reload(); !loaded) return fail(loaded.error());
  return file;
}

Result<bool> UserFile::reload() {
  auto text = file_.read_if_changed();
  if (!text) return fail(text.error());
  if (!*text) return false;
  auto users = parse_users(**text, path());
  if (!users) return fail(users.error());
  std::vector<User> all = inline_users_;
  for (User& user : *users) all.push_back(std::move(user));
  users_.store(std::make_shared<UserList>(std::move(all)));
  return true;
}

}  // namespace gost
