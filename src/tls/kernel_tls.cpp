#include "tls/kernel_tls.hpp"

#include "net/fd.hpp"
#include "net/gather.hpp"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace gost::tls {

namespace {

constexpr std::size_t kHeader = 5;
constexpr std::size_t kMaxContent = 16384;  // RFC 8446 5.1

/// The control message that carries a record's type, in either direction.
struct TypeMessage {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint8_t))> bytes{};

  void attach_to(msghdr& message) {
    message.msg_control = bytes.data();
    message.msg_controllen = bytes.size();
  }
};

socklen_t size_of_keys(const tls_crypto_info& info) {
  switch (info.cipher_type) {
  case TLS_CIPHER_AES_GCM_128: return sizeof(tls12_crypto_info_aes_gcm_128);
  case TLS_CIPHER_AES_GCM_256: return sizeof(tls12_crypto_info_aes_gcm_256);
  case TLS_CIPHER_AES_CCM_128: return sizeof(tls12_crypto_info_aes_ccm_128);
  case TLS_CIPHER_CHACHA20_POLY1305: return sizeof(tls12_crypto_info_chacha20_poly1305);
  default: return 0;
  }
}

}  // namespace

bool kernel_has_tls() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Of a socket that is not connected the layer itself says so.
  return socket && !attach_kernel_tls(socket.get()) && errno == ENOTCONN;
}

bool attach_kernel_tls(int socket) {
  constexpr std::array kName{'t', 'l', 's', '\0'};
  return ::setsockopt(socket, SOL_TCP, TCP_ULP, kName.data(), kName.size()) == 0;
}

bool start_kernel_tls(int socket, const void* keys, Interest direction) {
  const auto& info = *static_cast<const tls_crypto_info*>(keys);
  if (direction == Interest::read && info.version != TLS_1_2_VERSION) return false;
  const socklen_t size = size_of_keys(info);
  return size > 0 && ::setsockopt(socket, SOL_TLS, direction == Interest::write ? TLS_TX : TLS_RX, keys, size) == 0;
}

IoResult try_send_record(IoWatch& socket, std::uint8_t type, Bytes content) {
  iovec slice = slice_of(content);
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  TypeMessage control;
  control.attach_to(message);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_TLS;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof type);
  *CMSG_DATA(header) = type;
  return try_send_message(socket, message);
}

IoResult try_receive_record(IoWatch& socket, MutableBytes into) {
  const MutableBytes content = into.subspan(kHeader);
  iovec slice{content.data(), std::min(content.size(), kMaxContent)};
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  TypeMessage control;
  control.attach_to(message);
  const ssize_t got = ::recvmsg(socket.fd(), &message, 0);
  if (got < 0) {
    if (errno != EAGAIN) return IoResult::failed(errno);
    socket.not_readable();
    return IoResult::would_block();
  }
  // A record without content has its type all the same.
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return IoResult::eof();
  const auto size = static_cast<std::size_t>(got);
  into[0] = *CMSG_DATA(header);
  into[1] = TLS_1_2_VERSION_MAJOR;
  into[2] = TLS_1_2_VERSION_MINOR;
  into[3] = static_cast<std::uint8_t>(size >> 8);
  into[4] = static_cast<std::uint8_t>(size);
  return IoResult::moved(kHeader + size);
}

}  // namespace gost::tls
