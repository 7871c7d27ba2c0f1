// The IV that all packets of all peers begin with (wire.md §12.3).
#pragma once

#include <array>
#include <cstdint>

namespace gost::kcp {

/// Ciphers with blocks of 8 bytes use the first half.
inline constexpr std::array<std::uint8_t, 16> kCfbIv{0xa7, 0x73, 0x4f, 0x9c, 0x12, 0xac, 0x1b, 0x01,
                                                     0xa4, 0x15, 0xf2, 0xc1, 0xfc, 0x78, 0xe6, 0x6b};

}  // namespace gost::kcp
