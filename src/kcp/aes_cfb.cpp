#include "kcp/aes_cfb.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gost::kcp {

#if defined(__x86_64__)

namespace {

/// For functions that use the instructions; called only if the processor has them.
#define GOST_AES __attribute__((target("aes,sse4.1")))

/// So many packets at once keep the AES unit busy.
constexpr std::size_t kLanes = 8;
constexpr std::size_t kMostRounds = 14;

struct Lane {
  MutableBytes left;  ///< of the packet
  __m128i chain;      ///< the last block of ciphertext, or the IV
};

/// FIPS 197, 5.2.
GOST_AES std::size_t expand(Bytes key, std::array<__m128i, kMostRounds + 1>& schedule) {
  std::size_t key_words = key.size() / 4;
  std::size_t rounds = key_words + 6;
  std::array<std::uint32_t, 4 * (kMostRounds + 1)> words;
  std::memcpy(words.data(), key.data(), key.size());
  std::uint32_t round_constant = 1;
  for (std::size_t i = key_words; i < 4 * (rounds + 1); ++i) {
    std::uint32_t word = words[i - 1];
    if (i % key_words == 0 || (key_words == 8 && i % 8 == 4))
      word = static_cast<std::uint32_t>(
          _mm_cvtsi128_si32(_mm_aeskeygenassist_si128(_mm_set1_epi32(static_cast<int>(word)), 0)));
    if (i % key_words == 0) {
      word = (word >> 8 | word << 24) ^ round_constant;  // words are little-endian here
      round_constant = round_constant << 1 ^ (round_constant >= 0x80 ? 0x11b : 0);
    }
    words[i] = words[i - key_words] ^ word;
  }
  for (std::size_t i = 0; i <= rounds; ++i)
    schedule[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data() + 4 * i));
  return rounds;
}

class AesNiCfb final : public AesCfb {
 public:
  GOST_AES AesNiCfb(Bytes key, Bytes iv)
      : iv_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(iv.data()))), rounds_(expand(key, schedule_)) {}

  GOST_AES void encrypt(std::span<const MutableBytes> packets) const override {
    std::array<Lane, kLanes> lanes;
    std::size_t active = 0;
    while (active > 0 || !packets.empty()) {
      while (active < kLanes && !packets.empty()) {
        lanes[active++] = {packets.front(), iv_};
        packets = packets.subspan(1);
      }
      std::size_t blocks = lanes[0].left.size() / kBlock;
      for (std::size_t i = 1; i < active; ++i) blocks = std::min(blocks, lanes[i].left.size() / kBlock);
      run(std::span(lanes).first(active), blocks);
      std::size_t kept = 0;
      for (std::size_t i = 0; i < active; ++i) {
        if (lanes[i].left.size() >= kBlock) {
          lanes[kept++] = lanes[i];
        } else {
          finish(lanes[i]);
        }
      }
      active = kept;
    }
  }

 private:
  GOST_AES void run(std::span<Lane> lanes, std::size_t blocks) const {
    switch (lanes.size()) {
    case 1: return run<1>(lanes, blocks);
    case 2: return run<2>(lanes, blocks);
    case 3: return run<3>(lanes, blocks);
    case 4: return run<4>(lanes, blocks);
    case 5: return run<5>(lanes, blocks);
    case 6: return run<6>(lanes, blocks);
    case 7: return run<7>(lanes, blocks);
    default: return run<kLanes>(lanes, blocks);
    }
  }

  template <std::size_t Count>
  GOST_AES void run(std::span<Lane> lanes, std::size_t blocks) const {
    __m128i state[Count];
    __m128i* at[Count];
    for (std::size_t i = 0; i < Count; ++i) {
      state[i] = lanes[i].chain;
      at[i] = reinterpret_cast<__m128i*>(lanes[i].left.data());
    }
    for (std::size_t block = 0; block < blocks; ++block) {
      for (std::size_t i = 0; i < Count; ++i) state[i] = _mm_xor_si128(state[i], schedule_[0]);
      for (std::size_t round = 1; round < rounds_; ++round) {
        __m128i key = schedule_[round];
        for (std::size_t i = 0; i < Count; ++i) state[i] = _mm_aesenc_si128(state[i], key);
      }
      for (std::size_t i = 0; i < Count; ++i) {
        state[i] = _mm_xor_si128(_mm_aesenclast_si128(state[i], schedule_[rounds_]), _mm_loadu_si128(at[i] + block));
        _mm_storeu_si128(at[i] + block, state[i]);
      }
    }
    for (std::size_t i = 0; i < Count; ++i) {
      lanes[i].chain = state[i];
      lanes[i].left = lanes[i].left.subspan(blocks * kBlock);
    }
  }

  /// The rest that is no whole block.
  GOST_AES void finish(Lane& lane) const {
    if (lane.left.empty()) return;
    __m128i state = _mm_xor_si128(lane.chain, schedule_[0]);
    for (std::size_t round = 1; round < rounds_; ++round) state = _mm_aesenc_si128(state, schedule_[round]);
    std::array<std::uint8_t, kBlock> stream;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(stream.data()), _mm_aesenclast_si128(state, schedule_[rounds_]));
    for (std::size_t i = 0; i < lane.left.size(); ++i) lane.left[i] ^= stream[i];
  }

  std::array<__m128i, kMostRounds + 1> schedule_;
  __m128i iv_;
  std::size_t rounds_;
};

}  // namespace

std::unique_ptr<AesCfb> AesCfb::make(Bytes key, Bytes iv) {
  if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("sse4.1")) return nullptr;
  return std::make_unique<AesNiCfb>(key, iv);
}

#else

std::unique_ptr<AesCfb> AesCfb::make(Bytes, Bytes) {
  return nullptr;
}

#endif

}  // namespace gost::kcp
