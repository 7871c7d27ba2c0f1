// What can be set of WebSocket at either end.
#pragma once

#include "core/duration.hpp"
#include "net/pools.hpp"
#include "policy/ip_ranges.hpp"
#include "ws/http_head.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace gost::ws {

struct CommonOptions {
  /// Decoded, with its slash in front. At a server one that ends in a slash stands for all below it, too.
  std::string path = "/ws";
  /// Further fields of the head that is sent; with_headers() has checked them.
  std::vector<HttpField> headers;
  Duration handshake_timeout = std::chrono::seconds(10);
  bool compression = false;
  Duration ping_interval = Duration::zero();          ///< 0: no pings of our own
  std::size_t max_payload = BufferPool::kBufferSize;  ///< of a frame that is sent
};

struct ServerOptions : CommonOptions {
  Duration head_timeout = Duration::zero();  ///< for the client's head alone; 0: only handshake_timeout
  IpRanges trusted_proxies;                  ///< whose word about the client's address counts
};

struct ClientOptions : CommonOptions {
  std::string host;  ///< what stands in the field Host
};

/// Checks custom fields and gives them the form in which they are sent, sorted by name. Errors (Cause::invalid): a
/// name or value that would break the head, or, at the client, a field that is the handshake's own.
Result<std::vector<HttpField>> checked_headers(std::vector<HttpField> headers, bool client);

}  // namespace gost::ws
