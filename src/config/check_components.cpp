#include "config/check_rules.hpp"

#include <fmt/format.h>

namespace gost::config {

namespace {

const std::set<std::string, std::less<>>& available(const Availability& availability, Kind kind) {
  switch (kind) {
  case Kind::handler: return availability.handlers;
  case Kind::listener: return availability.listeners;
  case Kind::connector: return availability.connectors;
  case Kind::dialer: break;
  }
  return availability.dialers;
}

void check_type(const CheckContext& context, const Origin& at, Kind kind, const std::string& type) {
  std::string_view name = canonical_name(kind, type);
  if (!is_known(kind, name)) {
    context.error(at, fmt::format("unknown {}: {}.{}", to_string(kind), type, suggestion(type, known_names(kind))));
  } else if (!available(context.availability, kind).contains(name)) {
    std::string shown = type.empty() ? std::string(name) : type;
    context.error(at, fmt::format("{} '{}' is not available in this build", to_string(kind), shown));
  }
}

/// A part that the configuration leaves out has its default type.
template <class Part>
void check_part(const CheckContext& context, const Origin& owner, Kind kind, const std::optional<Part>& part) {
  check_type(context, part ? part->origin : owner, kind, part ? part->type : std::string());
}

void check_hop(const CheckContext& context, const Hop& hop) {
  for (const Node& node : hop.nodes) {
    check_part(context, node.origin, Kind::connector, node.connector);
    check_part(context, node.origin, Kind::dialer, node.dialer);
  }
}

}  // namespace

void check_components(const CheckContext& context) {
  for (const Service& service : context.config.services) {
    check_part(context, service.origin, Kind::handler, service.handler);
    check_part(context, service.origin, Kind::listener, service.listener);
  }
  for (const Chain& chain : context.config.chains)
    for (const Hop& hop : chain.hops) check_hop(context, hop);
  for (const Hop& hop : context.config.hops) check_hop(context, hop);
}

}  // namespace gost::config
