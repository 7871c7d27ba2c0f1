#include "tls/record_io.hpp"

#include "tls/kernel_tls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gost::tls {

namespace {

// What OpenSSL 3 says to its own socket BIO, and its headers only mention (openssl/bio.h).
constexpr int kSetKernelKeys = 72;  ///< number: 1 for sending; pointer: the keys
constexpr int kSetRecordType = 74;  ///< number: the type of the next write
constexpr int kClearRecordType = 75;

constexpr std::uint8_t kKeyUpdate = 24;  // a handshake message, RFC 8446 4.6.3

}  // namespace

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

template <class Read>
std::size_t RecordIo::read_below(Read read) {
  if (ended_ || read_error_ != 0 || !below_->ready(Interest::read)) return 0;
  IoResult io = read();
  if (io.status == IoResult::Status::eof) ended_ = true;
  if (io.status == IoResult::Status::error) read_error_ = io.error;
  return io.status == IoResult::Status::ok ? io.bytes : 0;
}

std::size_t RecordIo::read_into(MutableBytes into) {
  if (kernel_receives_) return read_below([&] { return try_receive_record(*below_->kernel(Interest::read), into); });
  if (input_.size == 0) {
    if (reads_exactly_) return read_below([&] { return below_->try_read(into); });
    if (!input_.buffer) input_.buffer.emplace(buffers_.borrow());
    input_.begin = 0;
    input_.size = read_below([&] { return below_->try_read(input_.buffer->bytes()); });
    if (first_size_ == 0) {
      first_size_ = static_cast<std::uint8_t>(std::min(input_.size, first_.size()));
      std::ranges::copy(input_.view().first(first_size_), first_.begin());
    }
  }
  // Plain text on a TLS port may be shorter than a record's header, and OpenSSL would wait for the rest.
  if (!is_tls()) return 0;
  std::size_t count = std::min(into.size(), input_.size);
  std::memcpy(into.data(), input_.view().data(), count);
  input_.drop(count);
  return count;
}

void RecordIo::give_back_empty() {
  if (input_.size == 0) input_.buffer.reset();
}

int RecordIo::on_read(BIO* bio, char* into, std::size_t size, std::size_t* moved) {
  auto& self = *static_cast<RecordIo*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *moved = self.read_into({reinterpret_cast<std::uint8_t*>(into), size});
  if (*moved > 0) return 1;
  if (self.input_.size == 0 && !self.ended_ && self.read_error_ == 0) BIO_set_retry_read(bio);
  return 0;
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
  if (kernel_sends_) {
    // The kernel goes on with the keys it has, so a peer that asks for new ones must not be told that they come.
    if (next_type_ == kHandshake && bytes.front() == kKeyUpdate) return bytes.size();
    if (flush().status == IoResult::Status::would_block) return 0;
    output_type_ = std::exchange(next_type_, 0);
  }
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

long RecordIo::on_control(BIO* bio, int command, long number, void* pointer) {
  auto& self = *static_cast<RecordIo*>(BIO_get_data(bio));
  switch (command) {
  case BIO_CTRL_FLUSH: return 1;  // flush() follows every call of OpenSSL
  case BIO_CTRL_EOF: return self.ended_ && self.input_.size == 0 ? 1 : 0;
  case BIO_CTRL_GET_KTLS_SEND: return self.kernel_sends_ ? 1 : 0;
  case BIO_CTRL_GET_KTLS_RECV: return self.kernel_receives_ ? 1 : 0;
  case kSetKernelKeys: return self.hand_over(pointer, number != 0 ? Interest::write : Interest::read) ? 1 : 0;
  case kSetRecordType: self.next_type_ = static_cast<std::uint8_t>(number); return 0;
  case kClearRecordType: self.next_type_ = 0; return 0;
  default: return 0;
  }
}

bool RecordIo::hand_over(const void* keys, Interest direction) {
  bool& handed_over = direction == Interest::write ? kernel_sends_ : kernel_receives_;
  if (handed_over) return true;  // new keys, of which the peer is not told
  IoWatch* socket = below_->kernel(direction);
  if (socket == nullptr) return false;
  if (!kernel_attached_) kernel_attached_ = attach_kernel_tls(socket->fd());
  if (!kernel_attached_) return false;
  // What was made before must be sent as it is, and what has come must be read here.
  if (direction == Interest::write ? flush().status != IoResult::Status::ok : input_.size > 0) return false;
  return handed_over = start_kernel_tls(socket->fd(), keys, direction);
}

IoResult RecordIo::flush() {
  while (output_.size > 0) {
    IoResult io = output_type_ == 0 ? below_->try_write(output_.view())
                                    : try_send_record(*below_->kernel(Interest::write), output_type_, output_.view());
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
  output_type_ = 0;
}

}  // namespace gost::tls
