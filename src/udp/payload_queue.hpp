// PayloadQueue: the datagrams of one session that wait for its handler.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gost {

/// First in, first out; the payloads stand one behind the other.
class PayloadQueue {
 public:
  bool empty() const { return sizes_.empty(); }
  std::size_t count() const { return sizes_.size(); }
  std::size_t bytes() const { return bytes_.size(); }
  void push(Bytes payload) {
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    sizes_.push_back(payload.size());
  }
  /// Keeps the memory for what comes next.
  void clear() {
    bytes_.clear();
    sizes_.clear();
  }
  /// Calls `visit(payload)` for each, oldest first.
  template <class Visit>
  void for_each(Visit visit) const {
    std::size_t at = 0;
    for (std::size_t size : sizes_) {
      visit(Bytes(bytes_).subspan(at, size));
      at += size;
    }
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::size_t> sizes_;
};

}  // namespace gost
