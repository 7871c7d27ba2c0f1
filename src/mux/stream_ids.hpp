// The ids of a session's streams: which one is next, and how they are looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace gost {

/// The ids of the streams that one side opens: every second number, so that both sides' differ.
class MuxIds {
 public:
  explicit MuxIds(std::uint32_t first) : next_(first) {}

  bool exhausted() const { return next_ > 0xffff'ffff; }
  /// Must not be exhausted.
  std::uint32_t next() {
    auto id = static_cast<std::uint32_t>(next_);
    next_ += 2;
    return id;
  }

 private:
  std::uint64_t next_;
};

/// The peer chooses ids, so their places in a table must not be foreseeable.
class MuxIdHash {
 public:
  MuxIdHash() {
    std::random_device source;
    secret_ = std::uint64_t{source()} << 32 | source();
  }
  std::size_t operator()(std::uint32_t id) const {
    std::uint64_t mixed = (id ^ secret_) * 0x9e37'79b9'7f4a'7c15;
    mixed = (mixed ^ mixed >> 32) * (secret_ | 1);
    return mixed ^ mixed >> 29;
  }

 private:
  std::uint64_t secret_;
};

}  // namespace gost
