#include "config/flags.hpp"

#include "config/go_url.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <variant>

namespace gost::config {

namespace {

using Target =
    std::variant<bool Flags::*, std::string Flags::*, std::vector<std::string> Flags::*, Duration Flags::*>;

struct Flag {
  std::string_view name;
  Target target;
  std::string_view argument;  ///< its name in the usage; empty for a boolean
  std::string_view help;
};

const auto& flag_table() {
  static const std::array kFlags{
      Flag{"C", &Flags::sources, "SOURCE",
           "configuration: a file (.yaml, .yml, .json), '-' for standard input, or inline JSON; repeatable"},
      Flag{"D", &Flags::debug, "", "log everything down to level debug"},
      Flag{"DD", &Flags::trace, "", "log everything down to level trace"},
      Flag{"F", &Flags::nodes, "URL", "forward through this proxy: one hop of the chain; repeatable"},
      Flag{"L", &Flags::services, "URL", "listen: one service; repeatable"},
      Flag{"O", &Flags::output_format, "FORMAT", "print the configuration as 'yaml' or 'json' and exit"},
      Flag{"R", &Flags::reload_period, "DURATION", "read the configuration again this often (0: never)"},
      Flag{"V", &Flags::version, "", "print the version and exit"},
      Flag{"api", &Flags::api, "ADDRESS", "serve the web API: [user:pass@]host:port[?pathPrefix=/path]"},
      Flag{"drain", &Flags::drain, "DURATION", "how long running connections may finish after SIGTERM (default 10s)"},
      Flag{"metrics", &Flags::metrics, "ADDRESS", "serve Prometheus metrics: [user:pass@]host:port[?path=/metrics]"},
  };
  return kFlags;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : flag_table())
    if (flag.name == name) return &flag;
  return nullptr;
}

std::unexpected<FlagError> bad_flag(const std::string& text) {
  return std::unexpected(FlagError{2, text + "\n" + usage()});
}

std::expected<void, FlagError> set_boolean(Flags& flags, const Flag& flag, std::optional<std::string_view> value) {
  auto parsed = value ? parse_bool(*value) : true;
  if (!parsed)
    return bad_flag(fmt::format("invalid boolean value {} for -{}: parse error", go_quote(*value), flag.name));
  flags.*std::get<bool Flags::*>(flag.target) = *parsed;
  return {};
}

std::expected<void, FlagError> set_value(Flags& flags, const Flag& flag, std::string_view value) {
  if (const auto* text = std::get_if<std::string Flags::*>(&flag.target)) {
    flags.** text = value;
  } else if (const auto* list = std::get_if<std::vector<std::string> Flags::*>(&flag.target)) {
    (flags.**list).emplace_back(value);
  } else {
    auto duration = parse_duration(value);
    if (!duration || *duration < Duration::zero())
      return bad_flag(fmt::format("invalid value {} for flag -{}: parse error", go_quote(value), flag.name));
    flags.*std::get<Duration Flags::*>(flag.target) = *duration;
  }
  return {};
}

std::expected<Flags, FlagError> parse(std::span<const char* const> arguments, Flags flags) {
  while (!arguments.empty()) {
    std::string_view argument = arguments.front();
    if (argument.size() < 2 || argument[0] != '-') break;
    arguments = arguments.subspan(1);
    std::string_view name = argument.substr(argument[1] == '-' ? 2 : 1);
    if (name.empty() || name[0] == '-' || name[0] == '=')
      return bad_flag(fmt::format("bad flag syntax: {}", argument));
    std::optional<std::string_view> value;
    if (std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Flag* flag = find_flag(name);
    if (flag == nullptr && (name == "h" || name == "help")) {
      flags.help = true;
      return flags;
    }
    if (flag == nullptr) return bad_flag(fmt::format("flag provided but not defined: -{}", name));
    if (std::holds_alternative<bool Flags::*>(flag->target)) {
      if (auto set = set_boolean(flags, *flag, value); !set) return std::unexpected(set.error());
      continue;
    }
    if (!value) {
      if (arguments.empty()) return bad_flag(fmt::format("flag needs an argument: -{}", name));
      value = arguments.front();
      arguments = arguments.subspan(1);
    }
    if (auto set = set_value(flags, *flag, *value); !set) return std::unexpected(set.error());
  }
  return flags;
}

}  // namespace

std::expected<Flags, FlagError> parse_flags(std::span<const char* const> arguments) {
  for (std::string_view argument : arguments)
    if (argument == "--")
      return std::unexpected(FlagError{
          2, "worker mode ('--' between arguments) is not available in this build: start one process per worker\n"});
  Flags flags;
  flags.check = !arguments.empty() && std::string_view(arguments.front()) == "check";
  auto parsed = parse(flags.check ? arguments.subspan(1) : arguments, flags);
  return parsed;
}

std::string usage() {
  std::string text =
      "Usage of gost:\n  gost [flags]          start the services\n"
      "  gost check [flags]    report every problem of the configuration, start nothing\n\n";
  for (const Flag& flag : flag_table()) {
    std::string name = fmt::format("-{}{}{}", flag.name, flag.argument.empty() ? "" : " ", flag.argument);
    text += fmt::format("  {:<16} {}\n", name, flag.help);
  }
  return text + fmt::format("  {:<16} {}\n", "-h, -help", "show this text");
}

}  // namespace gost::config
