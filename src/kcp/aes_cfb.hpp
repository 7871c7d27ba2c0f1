// AES in CFB, several packets at once: within one packet each block waits for the one before it.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace gost::kcp {

/// Encryption by the processor's AES instructions; decryption is parallel anyway and left to the library.
class AesCfb {
 public:
  static constexpr std::size_t kBlock = 16;

  /// `key` is 16, 24 or 32 bytes, `iv` a block. Null if the processor has no such instructions.
  static std::unique_ptr<AesCfb> make(Bytes key, Bytes iv);

  virtual ~AesCfb() = default;
  /// Enciphers each packet in place, beginning with the same IV.
  virtual void encrypt(std::span<const MutableBytes> packets) const = 0;
};

}  // namespace gost::kcp
