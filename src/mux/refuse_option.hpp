// What is said of a value that an option cannot have.
#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace gost {

/// `return refuse_option("version", "3", "must be 1 or 2");` (Cause::invalid)
inline std::unexpected<Error> refuse_option(std::string_view option, const std::string& value,
                                            std::string_view rule) {
  return fail(Cause::invalid, "mux." + std::string(option) + " is " + value + ", but " + std::string(rule));
}

}  // namespace gost
