// What decoding a prefix of a byte stream can yield.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <variant>

namespace gost {

/// The message is not complete: at least this many bytes are still missing, so that a reader who reads no more than
/// that never reads beyond the message.
struct NeedMore {
  std::size_t bytes;
};

/// A complete message, or how much is missing, or why it can never become one.
template <class T>
using Decode = std::variant<T, NeedMore, Error>;

}  // namespace gost
