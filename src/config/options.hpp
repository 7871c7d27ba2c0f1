// Every option ("metadata" key) that GOST's components know, with its spellings and type.
#pragma once

#include "config/components.hpp"
#include "config/metadata.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::config {

enum class OptionType : char {
  boolean = 'b',
  integer = 'i',
  duration = 'd',
  real = 'f',
  text = 's',
  list = 'l',
  map = 'm',
};

struct Option {
  std::vector<std::string_view> names;  ///< spellings, most important first
  OptionType type;
};
using Options = std::vector<Option>;

/// The options of a component; null for one whose options this program does not know.
const Options* options_of(Kind kind, std::string_view name);
const Options& service_options();
const Options& hop_options();
const Options& node_options();

/// The option that is spelled `key`, whatever the case; null if there is none.
const Option* find_option(const Options& options, std::string_view key);

/// Why `value` cannot be used for an option of this type; nothing if it can. Without origin.
std::optional<std::string> unusable(const Option& option, std::string_view key, const Value& value);

}  // namespace gost::config
