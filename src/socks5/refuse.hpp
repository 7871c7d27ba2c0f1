// How a SOCKS5 server says no.
#pragma once

#include "component/session.hpp"

namespace gost::socks5 {

/// Answers with the reply for the error's cause (component/refusal.hpp) and passes the error on.
GOST_OWN_FRAME Task<Result<>> refuse(Session& session, Error error);

}  // namespace gost::socks5
