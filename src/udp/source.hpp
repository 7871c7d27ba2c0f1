// Source: whom the datagrams of one session come from, and how a table finds it.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gost {

/// An address, or where a proxy told a name instead: the name, and of the address only the port.
struct SourceView {
  const SocketAddress& address;
  std::string_view name;
};

struct Source {
  SocketAddress address;
  std::string name;

  SourceView view() const { return {address, name}; }
};

inline bool operator==(const SourceView& one, const SourceView& other) {
  return one.address == other.address && one.name == other.name;
}

/// Whoever sends datagrams can write any source into them, so the places in a table depend on a secret: nobody can
/// choose sources that all fall into one.
class SourceHash {
 public:
  /// `secret` is random, one for each table.
  explicit SourceHash(std::uint64_t secret) : secret_(secret) {}

  std::size_t operator()(const SourceView& source) const {
    std::uint64_t state = mix(secret_ ^ source.address.port(), kOdd ^ source.address.ip().zone());
    state = add(state, source.address.ip().bytes());
    return static_cast<std::size_t>(add(state, as_bytes(source.name)));
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

  /// Both halves of the product, so that every bit of the input reaches every bit of the result.
  static std::uint64_t mix(std::uint64_t one, std::uint64_t other) {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(one) * other;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t add(std::uint64_t state, Bytes bytes) const {
    std::uint64_t word = bytes.size();
    std::size_t filled = 0;
    for (std::uint8_t byte : bytes) {
      word = word << 8 | byte;
      if (++filled % sizeof word == 0) state = mix(state ^ word, kOdd ^ secret_);
    }
    return mix(state ^ word, kOdd + secret_);
  }

  std::uint64_t secret_;
};

}  // namespace gost
