// Authers: who may use a service. The name is GOST's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gost {

struct User {
  std::string name;
  std::string password;
};

/// Decides about credentials. `check` may be called from any thread and never blocks.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// True if the credentials are good. Takes the same time whether the user is unknown or the password is wrong.
  /// SOCKS4 passes its user id with an empty password.
  virtual bool check(std::string_view user, std::string_view password) const = 0;
};

/// A fixed list. An empty stored password is matched by an empty one only (GOST: by any). Entries without a name are
/// left out; of two with the same name the later one counts. An empty list refuses everybody.
class UserList final : public Authenticator {
 public:
  UserList() = default;
  explicit UserList(std::vector<User> users);

  bool check(std::string_view user, std::string_view password) const override;
  std::size_t size() const { return passwords_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> passwords_;
};

/// Several authers: good is what any of them accepts. All are asked, so the time does not tell which one it was.
class AutherGroup final : public Authenticator {
 public:
  explicit AutherGroup(std::vector<std::shared_ptr<const Authenticator>> members) : members_(std::move(members)) {}

  bool check(std::string_view user, std::string_view password) const override;

 private:
  std::vector<std::shared_ptr<const Authenticator>> members_;
};

}  // namespace gost
