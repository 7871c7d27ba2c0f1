// The parts of `check`; each appends what it finds.
#pragma once

#include "config/check.hpp"
#include "config/components.hpp"

namespace gost::config {

/// What every part needs.
struct CheckContext {
  const Config& config;
  const Availability& availability;
  Problems& problems;

  void error(const Origin& origin, std::string message) const;
  void warning(const Origin& origin, std::string message) const;
  /// An error unless the build has the feature: "WHAT is not available in this build".
  void require(Feature feature, const Origin& origin, const std::string& what) const;
};

/// Names: duplicates, empty ones, and references to nothing.
void check_names(const CheckContext& context);
/// Component types that nobody knows or that this build lacks.
void check_components(const CheckContext& context);
/// Metadata of services, hops and nodes.
void check_options(const CheckContext& context);
/// Addresses to listen on and to dial.
void check_addresses(const CheckContext& context);
/// Lines of limiters, credentials, TLS and sections.
void check_rules(const CheckContext& context);
/// Hops, chain groups, forwarders, and the bypasses, hosts and resolvers that they use.
void check_chains(const CheckContext& context);

/// Where the content of a named object comes from; `what` is "bypass 'lan'".
void check_loaders(const CheckContext& context, const Origin& at, std::string_view what, const Loaders& loaders);

/// Whether a listener, or a dialer, of this type (which may be empty or an alias) encrypts by TLS.
bool encrypts(Kind kind, std::string_view type);
/// Whether a handler, or a connector, of this type can choose the methods 0x80 and 0x82 of SOCKS5.
bool negotiates_tls(Kind kind, std::string_view type, const Metadata& metadata);
/// The settings for TLS that a node's connector negotiates; null: none. What a command line gives to a dialer that
/// does not encrypt is meant for the connector.
const Tls* negotiated_tls(const Node& node);

/// Why a limiter line does not parse, or nothing. `traffic`: values are sizes with a unit ("1MB"); otherwise one
/// number, whole or (`fraction`) with a fraction.
std::optional<std::string> bad_traffic_limit(std::string_view line);
std::optional<std::string> bad_count_limit(std::string_view line, bool fraction);

}  // namespace gost::config
