// TLS in the kernel (kTLS): with the keys of a connection its socket makes records of what is written, and bytes of
// the records that arrive.
#pragma once

#include "net/stream.hpp"

#include <cstdint>

namespace gost::tls {

/// Whether the kernel has TLS at all. To be asked once: as root it may look for a module, with a program of its own.
bool kernel_has_tls();

/// Gives a connected TCP socket its TLS layer, without keys yet: its bytes pass as before. False where the kernel has
/// no such layer, and if the socket has one already.
bool attach_kernel_tls(int socket);

/// Hands over the keys for one direction, which apply from the next byte on. `keys` is what OpenSSL has for the
/// kernel: one of linux/tls.h's tls12_crypto_info_…. False if the kernel does not take this cipher, or no record of
/// another type could be told from data then: TLS 1.3 may change the keys of what is received, and only new kernels
/// can.
bool start_kernel_tls(int socket, const void* keys, Interest direction);

/// Writes one record of this type, and all of it or nothing.
IoResult try_send_record(IoWatch& socket, std::uint8_t type, Bytes content);

/// Reads what one record has brought, or several of application data, with the header in front that a record of this
/// content has on the wire; `into` must have room for one. Error EBADMSG: not made with these keys.
IoResult try_receive_record(IoWatch& socket, MutableBytes into);

}  // namespace gost::tls
