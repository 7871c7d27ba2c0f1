// What packets cost to encipher and decipher, per cipher.
#include "kcp/packet_crypt.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

constexpr std::size_t kPacket = 1350;
/// Packets of one flush of a bulk transfer.
constexpr std::size_t kBatch = 32;

class Packets {
 public:
  Packets() : memory_(kPacket * kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) views_.push_back(MutableBytes(memory_).subspan(i * kPacket, kPacket));
  }
  std::span<const MutableBytes> views() const { return views_; }

 private:
  std::vector<std::uint8_t> memory_;
  std::vector<MutableBytes> views_;
};

std::unique_ptr<PacketCrypt> crypt_of(const std::string& name) {
  static const Pass kPass = derive_pass("a key").value();
  return std::move(PacketCrypt::make(name, kPass).value());
}

void count(benchmark::State& state, std::size_t packets) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(packets * kPacket));
}

void encrypt(benchmark::State& state, const std::string& name) {
  auto crypt = crypt_of(name);
  Packets packets;
  while (state.KeepRunning()) crypt->encrypt_batch(packets.views());
  count(state, kBatch);
}

void encrypt_one(benchmark::State& state, const std::string& name) {
  auto crypt = crypt_of(name);
  Packets packets;
  while (state.KeepRunning()) crypt->encrypt(packets.views()[0]);
  count(state, 1);
}

void decrypt(benchmark::State& state, const std::string& name) {
  auto crypt = crypt_of(name);
  Packets packets;
  while (state.KeepRunning())
    for (MutableBytes packet : packets.views()) crypt->decrypt(packet);
  count(state, kBatch);
}

/// With nonce and CRC.
void seal_packets(benchmark::State& state, const std::string& name) {
  auto crypt = crypt_of(name);
  auto nonces = NonceSource::make();
  Packets packets;
  while (state.KeepRunning()) seal_batch(*crypt, *nonces, packets.views());
  count(state, kBatch);
}

/// With a copy of each packet, since it is opened in place.
void open_packets(benchmark::State& state, const std::string& name) {
  auto crypt = crypt_of(name);
  auto nonces = NonceSource::make();
  Packets sealed;
  Packets packets;
  seal_batch(*crypt, *nonces, sealed.views());
  while (state.KeepRunning()) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      std::ranges::copy(sealed.views()[i], packets.views()[i].begin());
      benchmark::DoNotOptimize(open(*crypt, packets.views()[i]));
    }
  }
  count(state, kBatch);
}

const bool kRegistered = [] {
  for (std::string name : {"aes", "aes-128", "aes-192", "sm4", "twofish", "blowfish", "cast5", "3des", "tea", "xtea",
                           "xor", "salsa20"}) {
    benchmark::RegisterBenchmark(("kcp/encrypt/" + name).c_str(), encrypt, name);
    benchmark::RegisterBenchmark(("kcp/decrypt/" + name).c_str(), decrypt, name);
  }
  benchmark::RegisterBenchmark("kcp/encrypt_one/aes", encrypt_one, "aes");
  for (std::string name : {"aes", "none"}) {
    benchmark::RegisterBenchmark(("kcp/seal/" + name).c_str(), seal_packets, name);
    benchmark::RegisterBenchmark(("kcp/open/" + name).c_str(), open_packets, name);
  }
  return true;
}();

}  // namespace
}  // namespace gost::kcp
