// The negotiation of permessage-deflate (RFC 7692 §7.1).
#pragma once

#include <string_view>

namespace gost::ws {

/// What both ends say (wire.md §10.1, §10.2).
inline constexpr std::string_view kDeflateExtension =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Whether an offer of the client can be answered by kDeflateExtension. One that wants a window of its own from us,
/// or something unknown, cannot. `offers`: the value of Sec-WebSocket-Extensions.
bool offers_deflate(std::string_view offers);

/// Whether a server's answer to kDeflateExtension is one that we can live with: that extension alone, with both
/// tokens, and at most a window for the server beside them.
bool accepts_deflate(std::string_view answer);

}  // namespace gost::ws
