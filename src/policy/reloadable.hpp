// Reloadable: a policy whose content stands in a file that may change while the program runs.
#pragma once

#include "core/error.hpp"

#include <string>

namespace gost {

class Reloadable {
 public:
  virtual ~Reloadable() = default;
  /// Reads the file again if it changed; true if its content is now in force. After an error (told once for each
  /// change of the file) the old content stays. Called by the owner, one call at a time.
  virtual Result<bool> reload() = 0;
  virtual const std::string& path() const = 0;
};

}  // namespace gost
