// The ciphers of KCP that no library has in this form: TEA with 8 cycles, XTEA, and the XOR table (wire.md §12.3).
#pragma once

#include "kcp/packet_crypt.hpp"

#include <memory>

namespace gost::kcp {

/// TEA with 8 cycles in CFB; the key is the first 16 bytes of `pass`.
std::unique_ptr<PacketCrypt> make_tea(const Pass& pass);
/// XTEA with 32 cycles in CFB; the key is the first 16 bytes of `pass`.
std::unique_ptr<PacketCrypt> make_xtea(const Pass& pass);
/// XOR with a table of kMaxPacket bytes that PBKDF2 derives from `pass`. Errors: as derive_pass().
Result<std::unique_ptr<PacketCrypt>> make_xor(const Pass& pass);

}  // namespace gost::kcp
