#include "config/check_rules.hpp"
#include "config/options.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace gost::config {

namespace {

/// One set of options and the component that reads it.
struct Reader {
  std::string name;        ///< "handler 'socks5'"
  const Options* options;  ///< null: not known to this program
  const Metadata* given;
};

/// Unknown options that a warning was written for: a range of ports makes many services of one place.
using Warned = std::set<std::tuple<const std::string*, unsigned, unsigned, std::string, std::string>>;

std::vector<std::string_view> spellings(const std::vector<Reader>& readers) {
  std::vector<std::string_view> names;
  for (const Reader& reader : readers)
    for (const Option& option : *reader.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// Readers that belong together, such as a service with its handler and its listener: the command line copies options
/// into all of them, so an option that one of them knows is known.
void check_together(const CheckContext& context, const std::vector<Reader>& readers, Warned& warned) {
  bool all_known = std::ranges::all_of(readers, [](const Reader& r) { return r.options != nullptr; });
  for (const Reader& reader : readers) {
    for (const auto& [key, value] : reader.given->entries()) {
      const Option* option = reader.options == nullptr ? nullptr : find_option(*reader.options, key);
      if (option != nullptr) {
        if (auto why = unusable(*option, key, value)) context.error(value.origin, *why);
        bool empty_flag = option->type == OptionType::boolean && value.string() != nullptr && value.string()->empty();
        if (empty_flag)
          context.warning(value.origin, fmt::format("'{}' is empty, which means false; write {}=true", key, key));
        continue;
      }
      auto knows = [&](const Reader& other) { return find_option(*other.options, key) != nullptr; };
      if (!all_known || std::ranges::any_of(readers, knows)) continue;
      const Origin& at = value.origin;
      if (!warned.emplace(at.source.get(), at.line, at.column, reader.name, key).second) continue;
      std::string where = at.line == 0 ? "" : fmt::format(" for {}", reader.name);
      context.warning(at, fmt::format("unknown option '{}'{}.{}", key, where, suggestion(key, spellings(readers))));
    }
  }
}

template <class Part>
Reader reader_of(Kind kind, const std::optional<Part>& part) {
  static const Metadata kNone;
  std::string_view name = canonical_name(kind, part ? std::string_view(part->type) : "");
  return {fmt::format("{} '{}'", to_string(kind), name), options_of(kind, name), part ? &part->metadata : &kNone};
}

void check_hop(const CheckContext& context, const Hop& hop, Warned& warned) {
  if (hop.nodes.empty()) check_together(context, {{"hop", &hop_options(), &hop.metadata}}, warned);
  for (const Node& node : hop.nodes)
    check_together(context,
                   {reader_of(Kind::connector, node.connector),
                    reader_of(Kind::dialer, node.dialer),
                    {"node", &node_options(), &node.metadata},
                    {"hop", &hop_options(), &hop.metadata}},
                   warned);
}

}  // namespace

void check_options(const CheckContext& context) {
  Warned warned;
  for (const Service& service : context.config.services) {
    check_together(context,
                   {reader_of(Kind::handler, service.handler),
                    reader_of(Kind::listener, service.listener),
                    {"service", &service_options(), &service.metadata}},
                   warned);
    if (!service.forwarder) continue;
    for (const ForwardNode& node : service.forwarder->nodes)
      check_together(context, {{"target", &node_options(), &node.metadata}}, warned);
  }
  for (const Chain& chain : context.config.chains)
    for (const Hop& hop : chain.hops) check_hop(context, hop, warned);
  for (const Hop& hop : context.config.hops) check_hop(context, hop, warned);
}

}  // namespace gost::config
