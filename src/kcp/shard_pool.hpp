// ShardPool: blocks of memory, each for one packet, that the sessions of a loop share.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace gost::kcp {

class ShardPool {
 public:
  static constexpr std::size_t kBlockSize = 1500;

  /// A borrowed block; goes back to the pool when destroyed. By default none.
  class Block {
   public:
    Block() = default;
    Block(Block&& other) noexcept : pool_(other.pool_), data_(std::move(other.data_)) {}
    Block& operator=(Block&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(data_, other.data_);
      return *this;
    }
    ~Block() {
      if (data_) pool_->give_back(std::move(data_));
    }
    std::uint8_t* data() const { return data_.get(); }
    explicit operator bool() const { return data_ != nullptr; }

   private:
    friend class ShardPool;
    Block(ShardPool& pool, std::unique_ptr<std::uint8_t[]> data) : pool_(&pool), data_(std::move(data)) {}
    ShardPool* pool_ = nullptr;
    std::unique_ptr<std::uint8_t[]> data_;
  };

  ShardPool() = default;
  ShardPool(const ShardPool&) = delete;
  ShardPool& operator=(const ShardPool&) = delete;

  /// Its content is arbitrary.
  Block borrow() {
    if (free_.empty()) return {*this, std::make_unique_for_overwrite<std::uint8_t[]>(kBlockSize)};
    Block block(*this, std::move(free_.back()));
    free_.pop_back();
    return block;
  }
  /// Blocks that wait in the pool.
  std::size_t kept() const { return free_.size(); }

 private:
  static constexpr std::size_t kKept = 256;
  void give_back(std::unique_ptr<std::uint8_t[]> data) {
    if (free_.size() < kKept) free_.push_back(std::move(data));
  }
  std::vector<std::unique_ptr<std::uint8_t[]>> free_;
};

}  // namespace gost::kcp
