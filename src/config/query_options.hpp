// The query of a -L or -F URL on its way into the model: what becomes part of the schema, what goes to whose options.
#pragma once

#include "config/go_url.hpp"
#include "config/model.hpp"
#include "config/problem.hpp"

#include <optional>
#include <string>

namespace gost::config {

/// A URL after scheme defaulting (`auto://`) and the rewriting of https, with what the query says.
struct ParsedUrl {
  Url url;
  Metadata query;  ///< decoded values as texts
  Origin origin;
};

/// Trims, adds `auto://`, parses. A blank text is the error "invalid cmd". Dropped query parts become warnings.
Result<ParsedUrl> normalize_url(std::string_view text, const Origin& origin, Problems& problems);

/// The text of the first present key, or nothing. Case-insensitive.
std::string text_of(const Metadata& query, std::initializer_list<std::string_view> keys);
/// A whole number greater than 0, or nothing; as GOST, anything else counts as absent.
std::optional<std::int64_t> positive(const Metadata& query, std::initializer_list<std::string_view> keys);
void erase_all(Metadata& query, std::initializer_list<std::string_view> keys);

/// Removes strategy, maxFails and failTimeout. Nothing if none is present; else missing ones are round, 1, 30s.
Result<std::optional<Selector>> take_selector(Metadata& query);
/// userinfo, or else `auth=BASE64`; removes `auth`.
Result<std::optional<Auth>> take_auth(const Url& url, Metadata& query, const Origin& origin);
/// Certificate files (and for a node secure and serverName); removes their keys. Fields may all be empty.
Tls take_tls(Metadata& query, const Origin& origin);
void take_client_tls(Metadata& query, Tls& tls);

/// The options for one role: `role.key` as `key`, and every key without the prefix of one of `roles`.
Metadata options_for(const Metadata& query, std::string_view role, std::initializer_list<std::string_view> roles);

/// Makers of the objects that a query defines inline; each takes the value of its key.
Admission make_admission(std::string name, std::string_view value, const Origin& origin);
Bypass make_bypass(std::string name, std::string_view value, const Origin& origin);
Resolver make_resolver(std::string name, std::string_view value, const std::string& prefer, const Origin& origin);
Hosts make_hosts(std::string name, std::string_view value, const Origin& origin);

}  // namespace gost::config
