#include "observe/sid.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace gost {

namespace {

std::array<std::uint8_t, 3> machine_id() {
  std::string id;
  if (std::ifstream file("/etc/machine-id"); !std::getline(file, id) || id.empty()) {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    id = name.data();
  }
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return {static_cast<std::uint8_t>(hash >> 16), static_cast<std::uint8_t>(hash >> 8),
          static_cast<std::uint8_t>(hash)};
}

std::uint32_t random_start() {
  std::uint32_t value = 0;
  if (::getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) return 0;
  return value;
}

}  // namespace

SidSource::SidSource() : SidSource(machine_id(), static_cast<std::uint16_t>(::getpid()), random_start()) {}

SidSource::SidSource(std::array<std::uint8_t, 3> machine, std::uint16_t process, std::uint32_t counter)
    : machine_(machine), process_(process), counter_(counter) {}

Sid SidSource::next(WallTime now) {
  auto seconds = static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  std::uint32_t count = counter_.fetch_add(1, std::memory_order_relaxed);
  auto byte = [](std::uint32_t value, int shift) { return static_cast<std::uint8_t>(value >> shift); };
  const std::array<std::uint8_t, 12> id{byte(seconds, 24), byte(seconds, 16), byte(seconds, 8), byte(seconds, 0),
                                        machine_[0],       machine_[1],       machine_[2],      byte(process_, 8),
                                        byte(process_, 0), byte(count, 16),   byte(count, 8),   byte(count, 0)};
  std::array<char, 20> text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // Digit i holds the bits 5i … 5i+4; the last one has a single bit left and is padded with zeros.
    std::size_t first = i * 5 / 8;
    unsigned pair = static_cast<unsigned>(id[first] << 8) | (first + 1 < id.size() ? id[first + 1] : 0U);
    text[i] = "0123456789abcdefghijklmnopqrstuv"[pair >> (11 - i * 5 % 8) & 31U];
  }
  return Sid(text);
}

}  // namespace gost
