// ByteQueue: bytes of a stream that wait for its reader.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <memory>

namespace gost {

/// First in, first out, in chunks: what has been read gives its memory back, and an empty queue has none. The memory
/// is in proportion to what is in it.
class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ~ByteQueue() { clear(); }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void push(Bytes bytes);
  /// Moves what fits to the front of `into`; how much that is.
  std::size_t pop(MutableBytes into);
  void clear();

 private:
  struct Chunk {
    std::unique_ptr<std::uint8_t[]> memory;
    std::size_t capacity;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::unique_ptr<Chunk> next;
  };

  void drop_front();

  std::unique_ptr<Chunk> front_;
  Chunk* back_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gost
