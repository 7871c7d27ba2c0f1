// What relays borrow while bytes move: buffers and pipes, pooled per loop.
#pragma once

#include "core/bytes.hpp"
#include "net/fd.hpp"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace gost {

/// 64 KiB buffers straight from the kernel, so that what the pool does not keep really goes back.
class BufferPool {
 public:
  static constexpr std::size_t kBufferSize = std::size_t{64} * 1024;

  /// A borrowed buffer; goes back to the pool when destroyed.
  class Buffer {
   public:
    Buffer(BufferPool& pool, std::uint8_t* data) : pool_(&pool), data_(data) {}
    Buffer(Buffer&& other) noexcept : pool_(other.pool_), data_(std::exchange(other.data_, nullptr)) {}
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer() {
      if (data_ != nullptr) pool_->give_back(data_);
    }
    MutableBytes bytes() const { return {data_, kBufferSize}; }

   private:
    BufferPool* pool_;
    std::uint8_t* data_;
  };

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  Buffer borrow();
  /// Buffers that wait in the pool.
  std::size_t kept() const { return free_.size(); }

 private:
  static constexpr std::size_t kKept = 16;
  void give_back(std::uint8_t* data);
  std::vector<std::uint8_t*> free_;
};

/// Pipes for splice(2).
class PipePool {
 public:
  static constexpr std::size_t kDefaultCapacity = std::size_t{64} * 1024;
  static constexpr std::size_t kGrownCapacity = std::size_t{1024} * 1024;

  struct Ends {
    Fd read;
    Fd write;
    std::size_t capacity = kDefaultCapacity;
  };

  /// A borrowed pipe and how many bytes are in it. An empty one goes back to the pool, any other is closed.
  class Pipe {
   public:
    Pipe(PipePool& pool, Ends ends) : pool_(pool), ends_(std::move(ends)) {}
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
      if (held == 0) pool_.give_back(std::move(ends_));
    }

    int read_end() const { return ends_.read.get(); }
    int write_end() const { return ends_.write.get(); }
    std::size_t capacity() const { return ends_.capacity; }
    /// Asks the kernel for 1 MiB; stays as it is if the user has too many pipe pages already.
    void grow();

    std::size_t held = 0;  ///< bytes in the pipe

   private:
    PipePool& pool_;
    Ends ends_;
  };

  /// Nothing when the process is out of descriptors: copy instead. Wrap it: `Pipe pipe(pool, std::move(*ends));`
  std::optional<Ends> borrow();

 private:
  static constexpr std::size_t kKept = 16;
  void give_back(Ends ends);
  std::vector<Ends> free_;
};

}  // namespace gost
