#include "net/datagram_batch.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace gost {

DatagramBatch::~DatagramBatch() {
  if (memory_ != nullptr) ::munmap(memory_, kCapacity);
}

MutableBytes DatagramBatch::memory() {
  if (memory_ == nullptr) {
    void* data =
        ::mmap(nullptr, kCapacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) std::abort();  // out of memory
    memory_ = static_cast<std::uint8_t*>(data);
  }
  return {memory_, kCapacity};
}

}  // namespace gost
