// What encloses every packet of KCP: 16 random bytes, a checksum, and a cipher over all of it (wire.md §12.2, §12.3).
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "kcp/nonce_source.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace gost::kcp {

/// Bytes in front of every packet: the nonce and the CRC.
inline constexpr std::size_t kNonceSize = 16;
inline constexpr std::size_t kCryptHeader = kNonceSize + 4;
/// A packet holds at least a KCP header behind that; what is shorter is dropped.
inline constexpr std::size_t kMinSealed = kCryptHeader + 24;
/// No packet is longer, whatever the MTU that is configured.
inline constexpr std::size_t kMaxPacket = 1500;

using Pass = std::array<std::uint8_t, 32>;

/// The ciphers' key from the configured text: PBKDF2-HMAC-SHA1, 4096 rounds, salt "kcp-go". Takes a millisecond or
/// more, so once for each configuration rather than for each session. Errors: the library has no such algorithm.
Result<Pass> derive_pass(std::string_view key);

/// Whether `crypt` (as configured) is a cipher's name. Everything else, also "null", means AES-256 as with GOST.
bool is_cipher_name(std::string_view crypt);

/// A cipher with its key. For one thread at a time: each loop has its own, which all of its sessions with the same
/// key share, since a packet depends on no other. Packets are at most kMaxPacket bytes.
class PacketCrypt {
 public:
  /// `crypt`: aes, aes-128, aes-192, sm4, twofish, blowfish, cast5, 3des, tea, xtea, xor, salsa20, none; anything
  /// else is AES-256. Errors: the library lacks the cipher, or is forbidden to use it (FIPS mode).
  static Result<std::unique_ptr<PacketCrypt>> make(std::string_view crypt, const Pass& pass);

  virtual ~PacketCrypt() = default;
  /// Enciphers a packet in place, from the nonce on.
  virtual void encrypt(MutableBytes packet) = 0;
  /// The opposite.
  virtual void decrypt(MutableBytes packet) = 0;
  /// encrypt() for each. CFB is serial within a packet, so several at once take little longer than one (AES).
  virtual void encrypt_batch(std::span<const MutableBytes> packets) {
    for (MutableBytes packet : packets) encrypt(packet);
  }
};

/// Completes a packet whose first kCryptHeader bytes are room and whose rest is what is to be sent: nonce, CRC,
/// cipher.
void seal(PacketCrypt& crypt, NonceSource& nonces, MutableBytes packet);
/// The same for several; faster with AES than one after the other.
void seal_batch(PacketCrypt& crypt, NonceSource& nonces, std::span<const MutableBytes> packets);

/// Deciphers `packet` in place; what it holds behind the header, or nothing if it is too short or its CRC is wrong:
/// then it was sealed with another key or damaged. A refused packet of at least kMinSealed bytes stays deciphered;
/// crypt.encrypt(packet) makes it what it was, to try another key.
std::optional<MutableBytes> open(PacketCrypt& crypt, MutableBytes packet);

}  // namespace gost::kcp
