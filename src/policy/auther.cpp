#include "policy/auther.hpp"

#include "core/text.hpp"

#include <utility>

namespace gost {

UserList::UserList(std::vector<User> users) {
  for (User& user : users)
    if (!user.name.empty()) passwords_.insert_or_assign(std::move(user.name), std::move(user.password));
}

bool UserList::check(std::string_view user, std::string_view password) const {
  auto found = passwords_.find(user);
  bool known = found != passwords_.end();
  // An unknown user costs the same comparison as a known one.
  bool equal = constant_time_equal(known ? std::string_view(found->second) : "?", password);
  return known && equal;
}

bool AutherGroup::check(std::string_view user, std::string_view password) const {
  bool accepted = false;
  for (const auto& member : members_) accepted = member->check(user, password) || accepted;
  return accepted;
}

}  // namespace gost
