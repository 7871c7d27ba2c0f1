// Base64 (RFC 4648): credentials in URLs and HTTP headers, binary text in YAML.
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>

namespace gost {

/// The standard alphabet, padded.
std::string base64_encode(Bytes bytes);
/// Accepts the standard and the URL-safe alphabet, padded or not. The error text is Go's ("illegal base64 data at
/// input byte 4").
Result<std::string> base64_decode(std::string_view text);

}  // namespace gost
