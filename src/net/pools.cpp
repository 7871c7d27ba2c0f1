#include "net/pools.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace gost {

BufferPool::~BufferPool() {
  for (std::uint8_t* data : free_) ::munmap(data, kBufferSize);
}

BufferPool::Buffer BufferPool::borrow() {
  if (!free_.empty()) {
    std::uint8_t* data = free_.back();
    free_.pop_back();
    return Buffer(*this, data);
  }
  void* data = ::mmap(nullptr, kBufferSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) std::abort();  // out of memory
  return Buffer(*this, static_cast<std::uint8_t*>(data));
}

void BufferPool::give_back(std::uint8_t* data) {
  if (free_.size() < kKept) {
    free_.push_back(data);
  } else {
    ::munmap(data, kBufferSize);
  }
}

void PipePool::Pipe::grow() {
  if (ends_.capacity >= kGrownCapacity) return;
  int size = ::fcntl(ends_.write.get(), F_SETPIPE_SZ, static_cast<int>(kGrownCapacity));
  if (size > 0) ends_.capacity = static_cast<std::size_t>(size);
}

std::optional<PipePool::Ends> PipePool::borrow() {
  if (!free_.empty()) {
    Ends ends = std::move(free_.back());
    free_.pop_back();
    return ends;
  }
  int fds[2];
  if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) return std::nullopt;
  return Ends{Fd(fds[0]), Fd(fds[1])};
}

void PipePool::give_back(Ends ends) {
  if (free_.size() < kKept) free_.push_back(std::move(ends));
}

}  // namespace gost
