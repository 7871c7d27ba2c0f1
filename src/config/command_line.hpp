// -L and -F as a configuration.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"

#include <string>
#include <vector>

namespace gost::config {

/// Builds what GOST builds from `-L` (services) and `-F` (one hop each, together chain-0), under the same names.
///
/// -L: [scheme://][user[:pass]@][host]:port[/target[,target…]][?key=value&…]
/// -F: [scheme://][user[:pass]@]host:port[,host:port…][?key=value&…]
///
/// Different from GOST: every node of a host list gets its own host as TLS serverName; each service of a port range
/// gets its own rules (in GOST only the first has them); a port that is no number is kept, so that `check` refuses
/// it. Appends warnings (unknown scheme, dropped query parts) to `problems`. Objects originate from "-L #1", "-F #2".
Result<Config> parse_command_line(const std::vector<std::string>& services, const std::vector<std::string>& nodes,
                                  Problems& problems);

/// The `-api` and `-metrics` values: [user:pass@]host:port[?pathPrefix=…&accesslog=…] and […?path=…].
Result<Api> parse_api_url(const std::string& text);
Result<Metrics> parse_metrics_url(const std::string& text);

}  // namespace gost::config
