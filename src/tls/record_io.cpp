#include "tls/record_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gost::tls {

const BIO_METHOD* RecordIo::method() {
  // OpenSSL numbers methods by process, so it is made once; its address is all that the streams share.
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gost stream");
    BIO_meth_set_read_ex(made, on_read);
    BIO_meth_set_write_ex(made, on_write);
    BIO_meth_set_ctrl(made, on_control);
    return made;
  }();
  return kMethod;
}

BioPtr RecordIo::make_bio() {
  BioPtr bio(BIO_new(method()));
  if (bio) {
    BIO_set_data(bio.get(), this);
    BIO_set_init(bio.get(), 1);
  }
  return bio;
}

bool RecordIo::fill() {
  if (ended_ || read_error_ != 0 || !below_->ready(Interest::read)) return false;
  if (!input_.buffer) input_.buffer.emplace(buffers_.borrow());
  IoResult io = below_->try_read(input_.buffer->bytes());
  if (io.status == IoResult::Status::eof) ended_ = true;
  if (io.status == IoResult::Status::error) read_error_ = io.error;
  if (io.status != IoResult::Status::ok) return false;
  input_.begin = 0;
  input_.size = io.bytes;
  if (first_size_ == 0) {
    first_size_ = static_cast<std::uint8_t>(std::min(io.bytes, first_.size()));
    std::ranges::copy(input_.view().first(first_size_), first_.begin());
  }
  return true;
}

void RecordIo::give_back_empty() {
  if (input_.size == 0) input_.buffer.reset();
}

int RecordIo::on_read(BIO* bio, char* into, std::size_t size, std::size_t* moved) {
  auto& self = *static_cast<RecordIo*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *moved = 0;
  if (self.input_.size == 0 && !self.fill()) {
    if (!self.ended_ && self.read_error_ == 0) BIO_set_retry_read(bio);
    return 0;
  }
  // Plain text on a TLS port may be shorter than a record's header, and OpenSSL would wait for the rest.
  if (!self.is_tls()) return 0;
  *moved = std::min(size, self.input_.size);
  std::memcpy(into, self.input_.view().data(), *moved);
  self.input_.drop(*moved);
  return 1;
}

int RecordIo::on_write(BIO* bio, const char* from, std::size_t size, std::size_t* moved) {
  auto& self = *static_cast<RecordIo*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *moved = self.collect(as_bytes({from, size}));
  if (*moved > 0 || size == 0) return 1;
  BIO_set_retry_write(bio);
  return 0;
}

std::size_t RecordIo::collect(Bytes bytes) {
  // A sink that is gone must not keep anybody from reading what had come before.
  if (write_error_ != 0) return bytes.size();
  if (!output_.buffer) output_.buffer.emplace(buffers_.borrow());
  auto room = [this] { return BufferPool::kBufferSize - output_.begin - output_.size; };
  if (room() < bytes.size() && output_.begin > 0) {
    std::memmove(output_.buffer->bytes().data(), output_.view().data(), output_.size);
    output_.begin = 0;
  }
  if (room() == 0) {
    flush();
    return output_.size < BufferPool::kBufferSize ? collect(bytes) : 0;
  }
  std::size_t count = std::min(room(), bytes.size());
  std::memcpy(output_.view().data() + output_.size, bytes.data(), count);
  output_.size += count;
  return count;
}

long RecordIo::on_control(BIO* bio, int command, long, void*) {
  const auto& self = *static_cast<const RecordIo*>(BIO_get_data(bio));
  if (command == BIO_CTRL_FLUSH) return 1;  // flush() follows every call of OpenSSL
  if (command == BIO_CTRL_EOF) return self.ended_ && self.input_.size == 0 ? 1 : 0;
  return 0;
}

IoResult RecordIo::flush() {
  while (output_.size > 0) {
    IoResult io = below_->try_write(output_.view());
    if (io.status == IoResult::Status::would_block) return io;
    if (io.status != IoResult::Status::ok) {
      write_error_ = io.status == IoResult::Status::error ? io.error : EPIPE;
      break;
    }
    output_.drop(io.bytes);
  }
  forget_output();
  return write_error_ != 0 ? IoResult::failed(write_error_) : IoResult::moved(0);
}

void RecordIo::forget_output() {
  output_.buffer.reset();
  output_.begin = output_.size = 0;
}

}  // namespace gost::tls
