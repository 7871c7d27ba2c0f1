#include "net/gather.hpp"

#include <cerrno>

namespace gost {

IoResult try_send_message(IoWatch& socket, const msghdr& message) {
  const ssize_t sent = ::sendmsg(socket.fd(), &message, MSG_NOSIGNAL);
  if (sent >= 0) return IoResult::moved(static_cast<std::size_t>(sent));
  if (errno != EAGAIN) return IoResult::failed(errno);
  socket.not_writable();
  return IoResult::would_block();
}

IoResult try_gather(IoWatch& socket, std::span<iovec> slices) {
  msghdr message{};
  message.msg_iov = slices.data();
  message.msg_iovlen = slices.size();
  return try_send_message(socket, message);
}

}  // namespace gost
