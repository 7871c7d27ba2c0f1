// Writing pieces that do not lie together with one system call.
#pragma once

#include "net/stream.hpp"

#include <sys/socket.h>

#include <span>

namespace gost {

/// One piece for try_gather.
inline iovec slice_of(Bytes bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

/// sendmsg(2) on the socket of a stream (Stream::kernel), without waiting; the result is that of Stream::try_write.
IoResult try_send_message(IoWatch& socket, const msghdr& message);

/// Writes as much of the pieces, one behind the other, as fits.
IoResult try_gather(IoWatch& socket, std::span<iovec> slices);

}  // namespace gost
