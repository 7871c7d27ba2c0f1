#include "mux/byte_queue.hpp"

#include <algorithm>

namespace gost {

namespace {

constexpr std::size_t kSmallest = 512;
constexpr std::size_t kLargest = std::size_t{32} * 1024;

}  // namespace

void ByteQueue::push(Bytes bytes) {
  while (!bytes.empty()) {
    if (back_ == nullptr || back_->end == back_->capacity) {
      // Few large chunks for who sends much, a small one for who sends a few bytes.
      std::size_t doubled = back_ == nullptr ? kSmallest : back_->capacity * 2;
      std::size_t capacity = std::clamp(bytes.size(), std::min(doubled, kLargest), kLargest);
      auto chunk = std::make_unique<Chunk>(std::make_unique_for_overwrite<std::uint8_t[]>(capacity), capacity);
      Chunk* added = chunk.get();
      (back_ == nullptr ? front_ : back_->next) = std::move(chunk);
      back_ = added;
    }
    std::size_t count = std::min(bytes.size(), back_->capacity - back_->end);
    std::copy_n(bytes.begin(), count, back_->memory.get() + back_->end);
    back_->end += count;
    size_ += count;
    bytes = bytes.subspan(count);
  }
}

std::size_t ByteQueue::pop(MutableBytes into) {
  std::size_t moved = 0;
  while (moved < into.size() && front_ != nullptr) {
    std::size_t count = std::min(into.size() - moved, front_->end - front_->begin);
    std::copy_n(front_->memory.get() + front_->begin, count, into.data() + moved);
    front_->begin += count;
    moved += count;
    if (front_->begin == front_->end) drop_front();
  }
  size_ -= moved;
  return moved;
}

void ByteQueue::clear() {
  // One by one: the chunks would otherwise destroy each other recursively.
  while (front_ != nullptr) drop_front();
  size_ = 0;
}

void ByteQueue::drop_front() {
  auto rest = std::move(front_->next);
  front_ = std::move(rest);
  if (front_ == nullptr) back_ = nullptr;
}

}  // namespace gost
