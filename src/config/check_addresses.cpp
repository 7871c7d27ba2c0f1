#include "config/check_rules.hpp"

#include "core/address.hpp"

#include <fmt/format.h>

namespace gost::config {

namespace {

void check_address(const CheckContext& context, const Origin& at, const std::string& what, const std::string& addr) {
  if (auto endpoint = parse_endpoint(addr); !endpoint)
    context.error(at, fmt::format("{}: {} (write host:port, [ipv6]:port or :port)", what, endpoint.error().text));
}

void check_hop(const CheckContext& context, const Hop& hop) {
  for (const Node& node : hop.nodes) {
    std::string what = fmt::format("address of node '{}'", node.name);
    bool direct = (node.dialer && canonical_name(Kind::dialer, node.dialer->type) == "direct") ||
                  (node.connector && canonical_name(Kind::connector, node.connector->type) == "direct");
    if (node.network == "unix" || direct) continue;
    check_address(context, node.origin, what, node.addr);
  }
}

}  // namespace

void check_addresses(const CheckContext& context) {
  for (const Service& service : context.config.services) {
    std::string what = fmt::format("address of service '{}'", service.name);
    std::string_view listener = service.listener ? std::string_view(service.listener->type) : "";
    bool is_path = listener == "unix" || listener == "runix" || listener == "serial" || listener == "stdio";
    if (is_path) continue;
    if (service.addr.empty())
      context.warning(service.origin, fmt::format("{} is empty: the kernel picks a port", what));
    else
      check_address(context, service.origin, what, service.addr);
    if (!service.forwarder) continue;
    for (const ForwardNode& node : service.forwarder->nodes)
      if (node.network != "unix")
        check_address(context, node.origin, fmt::format("address of target '{}'", node.name), node.addr);
  }
  for (const Chain& chain : context.config.chains)
    for (const Hop& hop : chain.hops) check_hop(context, hop);
  for (const Hop& hop : context.config.hops) check_hop(context, hop);
}

}  // namespace gost::config
