// A users file.
#include "expect.hpp"

#include "core/bytes.hpp"
#include "policy/user_file.hpp"

#include <map>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  auto users = parse_users(as_text({data, size}), "fuzz.users");
  if (!users) {
    fuzz::expect(users.error().text.starts_with("fuzz.users:"), "an error names the file and the line");
    return 0;
  }
  std::string written = "#\n";
  for (const User& user : *users) {
    fuzz::expect(!user.name.empty() && user.name.find_first_of(" \t\n") == std::string::npos, "a name is one word");
    written += user.name + "\t" + user.password + "\r\n";
  }
  auto again = parse_users(written, "again.users");
  fuzz::expect(again.has_value() && std::ranges::equal(*again, *users,
                                                       [](const User& a, const User& b) {
                                                         return a.name == b.name && a.password == b.password;
                                                       }),
               "a users file that is written from users reads as the same users");

  std::map<std::string, std::string> valid;
  for (const User& user : *users) valid[user.name] = user.password;
  UserList list(std::move(*users));
  fuzz::expect(list.size() == valid.size(), "a list has each name once");
  for (const auto& [name, password] : valid) {
    fuzz::expect(list.check(name, password), "a user can log in with the last password of the file");
    fuzz::expect(!list.check(name, password + "x"), "and with no other");
  }
  return 0;
}
