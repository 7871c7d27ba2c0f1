// NonceSource: unpredictable bytes for every packet, cheaply.
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

struct evp_cipher_ctx_st;

namespace gost::kcp {

/// ChaCha20's key stream, in pieces of 4 KiB. The first bytes of each are the key of the next and replace its own,
/// and what is given out is erased: what is in memory tells nothing about earlier packets. One per loop.
class NonceSource {
 public:
  /// Nothing if the kernel or OpenSSL has no randomness to give.
  static std::optional<NonceSource> make();

  NonceSource(NonceSource&&) noexcept = default;
  NonceSource& operator=(NonceSource&&) noexcept = default;
  ~NonceSource();

  /// Fills `into`; at most 256 bytes.
  void fill(MutableBytes into);

 private:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kPiece = 4096;
  struct FreeCipher {
    void operator()(evp_cipher_ctx_st* context) const;
  };

  NonceSource();
  /// The key at the front of the piece is the cipher's from now on.
  void take_key();
  void refill();

  std::unique_ptr<evp_cipher_ctx_st, FreeCipher> cipher_;
  /// Room for a key, then what is given out.
  std::unique_ptr<std::array<std::uint8_t, kKeySize + kPiece>> piece_;
  std::size_t used_ = kPiece;
};

}  // namespace gost::kcp
