#include "kcp/packet_crypt.hpp"

#include "kcp/aes_cfb.hpp"
#include "kcp/block_ciphers.hpp"
#include "kcp/cfb_iv.hpp"
#include "kcp/little_endian.hpp"

#include <gcrypt.h>
#include <isa-l/crc.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>

namespace gost::kcp {

namespace {

struct CloseCipher {
  void operator()(gcry_cipher_handle* handle) const { gcry_cipher_close(handle); }
};
using Cipher = std::unique_ptr<gcry_cipher_handle, CloseCipher>;

/// A row of wire.md §12.3, of what the library has.
struct Algorithm {
  std::string_view name;
  int id;
  std::size_t key_size;
};
constexpr Algorithm kAlgorithms[] = {
    {"aes", GCRY_CIPHER_AES256, 32},  {"aes-128", GCRY_CIPHER_AES128, 16},  {"aes-192", GCRY_CIPHER_AES192, 24},
    {"sm4", GCRY_CIPHER_SM4, 16},     {"twofish", GCRY_CIPHER_TWOFISH, 32}, {"blowfish", GCRY_CIPHER_BLOWFISH, 32},
    {"cast5", GCRY_CIPHER_CAST5, 16}, {"3des", GCRY_CIPHER_3DES, 24},       {"salsa20", GCRY_CIPHER_SALSA20, 32},
};

/// The library must be told that it is initialised, once in a process and before anything else.
void start_library() {
  static const bool kStarted = [] {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) == 0) {
      gcry_check_version(nullptr);
      gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
      gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
    return true;
  }();
  (void)kStarted;
}

Result<Cipher> open_cipher(const Algorithm& algorithm, int mode, const Pass& pass) {
  start_library();
  gcry_cipher_hd_t handle = nullptr;
  gcry_error_t error = gcry_cipher_open(&handle, algorithm.id, mode, 0);
  Cipher cipher(handle);
  if (error == 0) {
    // Peers take any key; of Blowfish's one in ten thousand is called weak.
    gcry_cipher_ctl(handle, GCRYCTL_SET_ALLOW_WEAK_KEY, nullptr, 1);
    error = gcry_cipher_setkey(handle, pass.data(), algorithm.key_size);
    if (gcry_err_code(error) == GPG_ERR_WEAK_KEY) error = 0;
  }
  if (error != 0) {
    return fail(Cause::other,
                "kcp: libgcrypt has no " + std::string(algorithm.name) + " to offer: " + gcry_strerror(error));
  }
  return cipher;
}

/// CFB by the library.
class GcryptCfb : public PacketCrypt {
 public:
  GcryptCfb(Cipher cipher, std::size_t block) : cipher_(std::move(cipher)), block_(block) {}
  void encrypt(MutableBytes packet) override {
    gcry_cipher_setiv(cipher_.get(), kCfbIv.data(), block_);
    gcry_cipher_encrypt(cipher_.get(), packet.data(), packet.size(), nullptr, 0);
  }
  void decrypt(MutableBytes packet) override {
    gcry_cipher_setiv(cipher_.get(), kCfbIv.data(), block_);
    gcry_cipher_decrypt(cipher_.get(), packet.data(), packet.size(), nullptr, 0);
  }

 private:
  Cipher cipher_;
  std::size_t block_;
};

class AesPackets final : public GcryptCfb {
 public:
  AesPackets(Cipher cipher, std::unique_ptr<AesCfb> fast)
      : GcryptCfb(std::move(cipher), AesCfb::kBlock), fast_(std::move(fast)) {}
  void encrypt(MutableBytes packet) override { fast_->encrypt({&packet, 1}); }
  void encrypt_batch(std::span<const MutableBytes> packets) override { fast_->encrypt(packets); }

 private:
  std::unique_ptr<AesCfb> fast_;
};

/// The first 8 bytes stay as they are: they are the nonce of the rest.
class Salsa20 final : public PacketCrypt {
 public:
  explicit Salsa20(Cipher cipher) : cipher_(std::move(cipher)) {}
  void encrypt(MutableBytes packet) override {
    if (packet.size() <= kNonce) return;
    gcry_cipher_setiv(cipher_.get(), packet.data(), kNonce);
    MutableBytes rest = packet.subspan(kNonce);
    gcry_cipher_encrypt(cipher_.get(), rest.data(), rest.size(), nullptr, 0);
  }
  void decrypt(MutableBytes packet) override { encrypt(packet); }

 private:
  static constexpr std::size_t kNonce = 8;
  Cipher cipher_;
};

class NoCipher final : public PacketCrypt {
 public:
  void encrypt(MutableBytes) override {}
  void decrypt(MutableBytes) override {}
};

std::uint32_t checksum(Bytes bytes) {
  return crc32_gzip_refl(0, bytes.data(), bytes.size());
}

void complete_header(NonceSource& nonces, MutableBytes packet) {
  nonces.fill(packet.first(kNonceSize));
  store_le(packet.data() + kNonceSize, checksum(packet.subspan(kCryptHeader)));
}

}  // namespace

Result<Pass> derive_pass(std::string_view key) {
  Bytes salt = as_bytes("kcp-go");
  Pass pass;
  if (PKCS5_PBKDF2_HMAC(key.data(), static_cast<int>(key.size()), salt.data(), static_cast<int>(salt.size()), 4096,
                        EVP_sha1(), static_cast<int>(pass.size()), pass.data()) != 1)
    return fail(Cause::other, "kcp: OpenSSL cannot derive a key by PBKDF2-HMAC-SHA1");
  return pass;
}

bool is_cipher_name(std::string_view crypt) {
  return crypt == "none" || crypt == "tea" || crypt == "xtea" || crypt == "xor" ||
         std::ranges::find(kAlgorithms, crypt, &Algorithm::name) != std::end(kAlgorithms);
}

Result<std::unique_ptr<PacketCrypt>> PacketCrypt::make(std::string_view crypt, const Pass& pass) {
  if (crypt == "none") return std::make_unique<NoCipher>();
  if (crypt == "tea") return make_tea(pass);
  if (crypt == "xtea") return make_xtea(pass);
  if (crypt == "xor") return make_xor(pass);
  const auto* found = std::ranges::find(kAlgorithms, crypt, &Algorithm::name);
  const Algorithm& algorithm = found != std::end(kAlgorithms) ? *found : kAlgorithms[0];
  bool stream = algorithm.id == GCRY_CIPHER_SALSA20;
  auto cipher = open_cipher(algorithm, stream ? GCRY_CIPHER_MODE_STREAM : GCRY_CIPHER_MODE_CFB, pass);
  if (!cipher) return fail(std::move(cipher.error()));
  if (stream) return std::make_unique<Salsa20>(std::move(*cipher));
  if (algorithm.name.starts_with("aes")) {
    if (auto fast = AesCfb::make(Bytes(pass).first(algorithm.key_size), kCfbIv))
      return std::make_unique<AesPackets>(std::move(*cipher), std::move(fast));
  }
  return std::make_unique<GcryptCfb>(std::move(*cipher), gcry_cipher_get_algo_blklen(algorithm.id));
}

void seal(PacketCrypt& crypt, NonceSource& nonces, MutableBytes packet) {
  complete_header(nonces, packet);
  crypt.encrypt(packet);
}

void seal_batch(PacketCrypt& crypt, NonceSource& nonces, std::span<const MutableBytes> packets) {
  for (MutableBytes packet : packets) complete_header(nonces, packet);
  crypt.encrypt_batch(packets);
}

std::optional<MutableBytes> open(PacketCrypt& crypt, MutableBytes packet) {
  if (packet.size() < kMinSealed) return std::nullopt;
  crypt.decrypt(packet);
  MutableBytes content = packet.subspan(kCryptHeader);
  if (load_le<std::uint32_t>(packet.data() + kNonceSize) != checksum(content)) return std::nullopt;
  return content;
}

}  // namespace gost::kcp
