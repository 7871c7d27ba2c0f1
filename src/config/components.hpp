// The component names that GOST knows, whether or not this build has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gost::config {

enum class Kind : std::uint8_t { handler, listener, connector, dialer };

/// "handler", "listener", "connector", "dialer".
std::string_view to_string(Kind kind);

/// Every name of this kind that GOST 3.3 registers, aliases included.
const std::vector<std::string_view>& known_names(Kind kind);

bool is_known(Kind kind, std::string_view name);

/// The name that stands for `name` and all its aliases: "socks" -> "socks5", "socks4a" -> "socks4", "" -> the
/// default.
std::string_view canonical_name(Kind kind, std::string_view name);

/// " Did you mean 'socks5'?" or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace gost::config
