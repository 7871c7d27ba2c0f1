// What OpenSSL's callbacks know of the connection that they are called for.
#pragma once

#include "core/error.hpp"
#include "tls/session_cache.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost::tls {

/// Stands in the stream, at the same place all its life.
struct Connection {
  bool server = false;
  std::string name;                        ///< client: the name that is asked for and verified; may be empty
  std::shared_ptr<SessionCache> sessions;  ///< client: where tickets go
  std::optional<Error> refusal;            ///< why we do not accept the peer

  /// Tells OpenSSL which one belongs to `ssl`.
  void attach(SSL& ssl) { SSL_set_app_data(&ssl, this); }
  static Connection& of(const SSL& ssl) { return *static_cast<Connection*>(SSL_get_app_data(&ssl)); }
};

}  // namespace gost::tls
