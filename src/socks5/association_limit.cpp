#include "socks5/association_limit.hpp"

#include <random>

namespace gost::socks5 {

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

/// The finisher of splitmix64: every bit of the input changes about half of the output.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

std::uint64_t hash(const IpAddress& ip, std::uint64_t seed) {
  std::uint64_t state = mix(seed ^ ip.zone());
  for (std::uint8_t byte : ip.bytes()) state = mix(state ^ byte);
  return state;
}

}  // namespace

AssociationLimit::AssociationLimit(std::size_t most) : most_(most), seed_(random_seed()) {}

std::optional<AssociationLimit::Slot> AssociationLimit::enter(const IpAddress& client) {
  std::size_t place = hash(client, seed_) % kPlaces;
  std::uint32_t before = counts_[place].fetch_add(1, std::memory_order_relaxed);
  Slot slot(shared_from_this(), place);
  if (most_ != 0 && before >= most_) return std::nullopt;
  return slot;
}

}  // namespace gost::socks5
