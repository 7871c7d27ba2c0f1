// From the configuration's authers, bypasses and hosts to the objects that apply them.
#pragma once

#include "policy/auther.hpp"
#include "policy/bypass.hpp"
#include "policy/host_table.hpp"
#include "service/build_context.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gost {

/// Every object is made once, when the first one names it. A name that is not there, or whose object cannot be made,
/// is an error at the place that names it.
class PolicyBuilder {
 public:
  explicit PolicyBuilder(BuildContext& context) : context_(context) {}

  /// Makes all of them, so that mistakes in those that nobody uses are found too.
  void make_all();

  /// The authers that the handler names, else its own credentials; null if it has neither (config.md §4.3).
  std::shared_ptr<const Authenticator> auther_of(const config::Handler& handler);
  /// One bypass or a group; null if nothing is named.
  std::shared_ptr<const Bypass> bypass_of(const config::Origin& at, const std::string& name,
                                          const std::vector<std::string>& names);
  /// Null if nothing is named.
  std::shared_ptr<const Hosts> hosts_of(const config::Origin& at, const std::string& name);

 private:
  template <class T>
  using ByName = std::map<std::string, std::shared_ptr<const T>, std::less<>>;

  std::shared_ptr<const Authenticator> make(const config::Auther& auther);
  std::shared_ptr<const Bypass> make(const config::Bypass& bypass);
  std::shared_ptr<const Hosts> make(const config::Hosts& hosts);
  template <class T, class Object>
  std::shared_ptr<const T> find(ByName<T>& made, const std::vector<Object>& list, std::string_view kind,
                                const config::Origin& at, const std::string& name);

  BuildContext& context_;
  ByName<Authenticator> authers_;
  ByName<Bypass> bypasses_;
  ByName<Hosts> hosts_;
};

}  // namespace gost
