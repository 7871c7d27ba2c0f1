// What the parts of build() share.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"
#include "observe/log.hpp"
#include "service/build.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gost {

struct BuildContext {
  const config::Config& config;
  config::Problems& problems;
  Built& built;
  Logger log;

  void error(const config::Origin& origin, std::string text) const {
    problems.push_back({config::Severity::error, origin, std::move(text)});
  }
  void warning(const config::Origin& origin, std::string text) const {
    problems.push_back({config::Severity::warning, origin, std::move(text)});
  }
  /// An error whose text may begin with a place of its own ("gost.yaml:3:7: readTimeout: …").
  void error(const config::Origin& origin, const Error& why) const {
    bool placed = why.text.starts_with(origin.to_string() + ":") || why.text.starts_with(file_of(origin) + ":");
    error(placed ? config::Origin() : origin, why.text);
  }

 private:
  static std::string file_of(const config::Origin& origin) { return origin.source ? *origin.source : "?"; }
};

/// The object called `name` in a list of the configuration; null if there is none.
template <class T>
const T* find_named(const std::vector<T>& list, const std::string& name) {
  for (const T& it : list)
    if (it.name == name) return &it;
  return nullptr;
}

}  // namespace gost
