// SessionCache: what lets the next connection of this loop to the same server skip most of the handshake.
#pragma once

#include "tls/openssl.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gost::tls {

/// The last few sessions, by the server's name. Belongs to one loop.
class SessionCache {
 public:
  void put(std::string_view name, SessionPtr session);
  /// The newest session with `name`, or null. A TLS 1.3 ticket is handed out once: used twice it would show an
  /// observer that two connections belong together.
  SessionPtr take(std::string_view name);
  std::size_t size() const { return entries_.size(); }

 private:
  static constexpr std::size_t kKept = 8;
  struct Entry {
    std::string name;
    SessionPtr session;
  };
  std::vector<Entry> entries_;  ///< the newest last
};

}  // namespace gost::tls
