// Tables of components: a name and the function that makes one of it.
#pragma once

#include "config/components.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>

namespace gost {

/// The factory for `type`, which may be empty or an alias. Errors name the type.
template <class Table>
auto factory_for(const Table& table, config::Kind kind, const std::string& type)
    -> Result<typename Table::value_type::second_type> {
  std::string_view name = config::canonical_name(kind, type);
  for (auto& [candidate, make] : table)
    if (candidate == name) return make;
  return fail(Cause::invalid, std::string(config::to_string(kind)) + " '" +
                                  (type.empty() ? std::string(name) : type) + "' is not available in this build");
}

}  // namespace gost
