#include "kcp/block_ciphers.hpp"

#include "kcp/cfb_iv.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace gost::kcp {

namespace {

std::uint32_t load_be(const std::uint8_t* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return std::endian::native == std::endian::big ? word : std::byteswap(word);
}

/// A block of 64 bits as its two big-endian words.
struct Block {
  std::uint32_t left;
  std::uint32_t right;

  static constexpr std::size_t kSize = 8;
  static Block load(const std::uint8_t* bytes) { return {load_be(bytes), load_be(bytes + 4)}; }
  std::array<std::uint8_t, kSize> bytes() const {
    std::uint64_t both = std::uint64_t{left} << 32 | right;
    if constexpr (std::endian::native == std::endian::little) both = std::byteswap(both);
    return std::bit_cast<std::array<std::uint8_t, kSize>>(both);
  }
};

constexpr std::uint32_t kDelta = 0x9e3779b9;

class Tea {
 public:
  explicit Tea(const Pass& pass) {
    for (std::size_t i = 0; i < key_.size(); ++i) key_[i] = load_be(pass.data() + 4 * i);
  }
  Block operator()(Block block) const {
    std::uint32_t sum = 0;
    for (int cycle = 0; cycle < 8; ++cycle) {
      sum += kDelta;
      block.left += ((block.right << 4) + key_[0]) ^ (block.right + sum) ^ ((block.right >> 5) + key_[1]);
      block.right += ((block.left << 4) + key_[2]) ^ (block.left + sum) ^ ((block.left >> 5) + key_[3]);
    }
    return block;
  }

 private:
  std::array<std::uint32_t, 4> key_;
};

class Xtea {
 public:
  static constexpr std::size_t kCycles = 32;

  explicit Xtea(const Pass& pass) {
    std::array<std::uint32_t, 4> key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = load_be(pass.data() + 4 * i);
    std::uint32_t sum = 0;
    for (std::size_t cycle = 0; cycle < kCycles; ++cycle) {
      rounds_[2 * cycle] = sum + key[sum & 3];
      sum += kDelta;
      rounds_[2 * cycle + 1] = sum + key[sum >> 11 & 3];
    }
  }
  Block operator()(Block block) const {
    for (std::size_t i = 0; i < rounds_.size(); i += 2) {
      block.left += (((block.right << 4) ^ (block.right >> 5)) + block.right) ^ rounds_[i];
      block.right += (((block.left << 4) ^ (block.left >> 5)) + block.left) ^ rounds_[i + 1];
    }
    return block;
  }

 private:
  std::array<std::uint32_t, 2 * kCycles> rounds_;
};

/// CFB with a block of 64 bits and always the same IV.
template <class Cipher>
class Cfb64 final : public PacketCrypt {
 public:
  explicit Cfb64(const Pass& pass) : cipher_(pass) {}

  void encrypt(MutableBytes packet) override {
    Block chain = Block::load(kCfbIv.data());
    while (!packet.empty()) {
      std::size_t count = apply(chain, packet);
      if (count == Block::kSize) chain = Block::load(packet.data());
      packet = packet.subspan(count);
    }
  }

  void decrypt(MutableBytes packet) override {
    Block chain = Block::load(kCfbIv.data());
    while (!packet.empty()) {
      Block next = chain;
      if (packet.size() >= Block::kSize) next = Block::load(packet.data());
      packet = packet.subspan(apply(chain, packet));
      chain = next;
    }
  }

 private:
  /// XORs the key stream that follows `chain` onto the front of `packet`; how many bytes that are.
  std::size_t apply(Block chain, MutableBytes packet) const {
    auto stream = cipher_(chain).bytes();
    if (packet.size() < Block::kSize) {
      for (std::size_t i = 0; i < packet.size(); ++i) packet[i] ^= stream[i];
      return packet.size();
    }
    std::uint64_t word = 0;
    std::memcpy(&word, packet.data(), sizeof word);
    word ^= std::bit_cast<std::uint64_t>(stream);
    std::memcpy(packet.data(), &word, sizeof word);
    return Block::kSize;
  }

  Cipher cipher_;
};

class XorTable final : public PacketCrypt {
 public:
  using Table = std::array<std::uint8_t, kMaxPacket>;
  explicit XorTable(const Table& table) : table_(table) {}

  void encrypt(MutableBytes packet) override {
    std::size_t count = std::min(packet.size(), table_.size());
    for (std::size_t i = 0; i < count; ++i) packet[i] ^= table_[i];
  }
  void decrypt(MutableBytes packet) override { encrypt(packet); }

 private:
  Table table_;
};

}  // namespace

std::unique_ptr<PacketCrypt> make_tea(const Pass& pass) {
  return std::make_unique<Cfb64<Tea>>(pass);
}

std::unique_ptr<PacketCrypt> make_xtea(const Pass& pass) {
  return std::make_unique<Cfb64<Xtea>>(pass);
}

Result<std::unique_ptr<PacketCrypt>> make_xor(const Pass& pass) {
  Bytes salt = as_bytes("sH3CIVoF#rWLtJo6");
  XorTable::Table table;
  if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(pass.data()), static_cast<int>(pass.size()), salt.data(),
                        static_cast<int>(salt.size()), 32, EVP_sha1(), static_cast<int>(table.size()),
                        table.data()) != 1)
    return fail(Cause::other, "kcp: OpenSSL cannot derive a key by PBKDF2-HMAC-SHA1");
  return std::make_unique<XorTable>(table);
}

}  // namespace gost::kcp
