// From a configuration to services that can be bound and started.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"
#include "policy/auther.hpp"
#include "policy/user_file.hpp"
#include "service/service.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gost {

/// A users file that is read again every `period`.
struct WatchedUsers {
  std::string auther;
  std::shared_ptr<UserFile> file;
  Duration period;
};

/// Everything that a configuration asks for, built but not bound.
struct Built {
  std::vector<ServiceParts> services;
  std::vector<WatchedUsers> users;
};

/// Builds all services. Whatever cannot be built becomes an error in `problems` with the place where it was written;
/// the result is complete only if there is none.
Built build(const config::Config& config, config::Problems& problems);

}  // namespace gost
