#include "kcp/nonce_source.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

namespace gost::kcp {

void NonceSource::FreeCipher::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

NonceSource::NonceSource()
    : cipher_(EVP_CIPHER_CTX_new()), piece_(std::make_unique<std::array<std::uint8_t, kKeySize + kPiece>>()) {}

NonceSource::~NonceSource() {
  if (piece_) OPENSSL_cleanse(piece_->data(), piece_->size());
}

std::optional<NonceSource> NonceSource::make() {
  NonceSource source;
  if (!source.cipher_ || RAND_bytes(source.piece_->data(), kKeySize) != 1 ||
      EVP_EncryptInit_ex2(source.cipher_.get(), EVP_chacha20(), nullptr, nullptr, nullptr) != 1)
    return std::nullopt;
  source.take_key();
  return source;
}

void NonceSource::take_key() {
  // Each key is used once, so its counter and nonce may begin with zeros.
  static constexpr std::array<std::uint8_t, 16> kStart{};
  EVP_EncryptInit_ex2(cipher_.get(), nullptr, piece_->data(), kStart.data(), nullptr);
  OPENSSL_cleanse(piece_->data(), kKeySize);
}

void NonceSource::refill() {
  int size = 0;
  piece_->fill(0);
  EVP_EncryptUpdate(cipher_.get(), piece_->data(), &size, piece_->data(), static_cast<int>(piece_->size()));
  take_key();
  used_ = 0;
}

void NonceSource::fill(MutableBytes into) {
  if (kPiece - used_ < into.size()) refill();
  auto from = piece_->begin() + static_cast<std::ptrdiff_t>(kKeySize + used_);
  std::copy_n(from, into.size(), into.begin());
  std::fill_n(from, into.size(), std::uint8_t{0});
  used_ += into.size();
}

}  // namespace gost::kcp
