// The SOCKS4 and SOCKS4a client (wire.md §1.4).
#pragma once

#include "component/connector.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gost::socks4 {

inline constexpr Duration kDefaultRequestTimeout = std::chrono::seconds(15);

struct ConnectorOptions {
  std::string user;  ///< the user id, at most 255 bytes without NUL; SOCKS4 has no password
  /// `timeout`: for request and reply. 0: 15 s (GOST waits for ever); negative: no limit.
  Duration timeout = kDefaultRequestTimeout;
  bool disable4a = false;  ///< `disable4a`: names are looked up here and IPv4 addresses sent
  NameLookup lookup;       ///< for that
};

class SocksConnector final : public Connector {
 public:
  explicit SocksConnector(ConnectorOptions options);

  Duration time_limit() const override { return options_.timeout; }

  /// A host over 255 bytes or with a NUL byte is an error (Cause::invalid) before anything is opened; with
  /// `disable4a` so is an IPv6 address (Cause::address_type) or a name that is not found. Refusals: 5b Cause::other,
  /// 5c Cause::denied, 5d Cause::auth.
  Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Underlay& underlay, Endpoint target) const override;

 private:
  Task<Result<std::vector<std::uint8_t>>> request_for(IoContext& io, Endpoint target) const;

  ConnectorOptions options_;
};

/// Errors: Cause::invalid for a user id that does not fit into a request.
Result<std::shared_ptr<const Connector>> make_connector(ConnectorOptions options);

}  // namespace gost::socks4
