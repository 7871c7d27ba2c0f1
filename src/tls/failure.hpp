// What went wrong between two ends of TLS, as a cause and a sentence that says what to do.
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "tls/connection.hpp"
#include "tls/openssl.hpp"

#include <optional>

namespace gost::tls {

/// The error for what OpenSSL has queued for `ssl`; empties the queue. Why we refused the peer stands in
/// `connection`.
Error explain_failure(const SSL& ssl, const Connection& connection);

/// For the errno with which the kernel, that opens the records, refuses one; nothing if it does not stand for that.
/// `server`: we are.
std::optional<Error> explain_bad_record(int number, bool server);

/// The peer began with `first`, which is not TLS. `server`: we are.
Error explain_plaintext(Bytes first, bool server);

/// The peer ended the connection before the handshake was over.
Error explain_early_end(bool server);

}  // namespace gost::tls
