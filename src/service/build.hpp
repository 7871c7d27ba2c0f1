// From a configuration to services that can be bound and started.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"
#include "observe/log.hpp"
#include "policy/auther.hpp"
#include "policy/name_servers.hpp"
#include "policy/reloadable.hpp"
#include "policy/user_file.hpp"
#include "service/service.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gost {

/// A policy's file that is read again every `period` (and at SIGHUP).
struct WatchedFile {
  std::string kind;  ///< "auther", "bypass", "hosts"
  std::string name;
  std::shared_ptr<Reloadable> file;
  Duration period;
};

/// Everything that a configuration asks for, built but not bound.
struct Built {
  std::vector<ServiceParts> services;
  std::vector<WatchedFile> files;
  /// To be closed on every loop (NameServers::close) before the loops go.
  std::vector<std::shared_ptr<const NameServers>> resolvers;
};

/// Builds all services. Whatever cannot be built becomes an error in `problems` with the place where it was written;
/// the result is complete only if there is none. `log` is for what routes and connectors have to tell at run time.
Built build(const config::Config& config, config::Problems& problems, const Logger& log = {});

}  // namespace gost
