#include "kcp/snappy_stream.hpp"

#include <cerrno>
#include <utility>

namespace gost::kcp {

SnappyStream::SnappyStream(BufferPool& buffers, std::unique_ptr<Stream> below)
    : below_(std::move(below)), reader_(*below_, buffers), writer_(*below_, buffers) {}

SnappyStream::~SnappyStream() {
  if (!aborted_) writer_.flush();
}

IoResult SnappyStream::try_read(MutableBytes into) {
  return reader_.read(into);
}

IoResult SnappyStream::try_write(Bytes from) {
  return writer_.write(from);
}

IoResult SnappyStream::try_shutdown() {
  if (IoResult rest = writer_.flush(); rest.status != IoResult::Status::ok) return rest;
  return below_->try_shutdown();
}

void SnappyStream::abort() {
  aborted_ = true;
  below_->abort();
}

bool SnappyStream::ready(Interest interest) const {
  return interest == Interest::read ? reader_.ready() : below_->ready(Interest::write);
}

Error SnappyStream::error(int number) const {
  return number == EPROTO && reader_.failure() ? *reader_.failure() : below_->error(number);
}

}  // namespace gost::kcp
