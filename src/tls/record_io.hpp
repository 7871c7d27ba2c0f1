// RecordIo: OpenSSL's way to the lower stream. Encrypted bytes pass through one borrowed buffer in each direction,
// until the kernel does the records of that direction.
#pragma once

#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "tls/openssl.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

namespace gost::tls {

/// Reading fills the buffer with one read of the lower stream and feeds OpenSSL from it; what OpenSSL writes collects
/// in the other buffer until flush(). Empty buffers are given back.
class RecordIo {
 public:
  RecordIo(IoContext& io, std::unique_ptr<Stream> below) : buffers_(io.buffers), below_(std::move(below)) {}
  RecordIo(const RecordIo&) = delete;
  RecordIo& operator=(const RecordIo&) = delete;

  /// OpenSSL's end, which refers to this.
  BioPtr make_bio();

  Stream& below() { return *below_; }
  const Stream& below() const { return *below_; }

  /// Encrypted bytes that OpenSSL has not taken yet.
  bool has_input() const { return input_.size != 0; }
  /// Whether a try to read could yield bytes, as far as this and what is below know.
  bool readable() const { return has_input() || ended_ || read_error_ != 0 || below_->ready(Interest::read); }
  bool ended() const { return ended_; }           ///< the lower stream has
  int read_error() const { return read_error_; }  ///< of the lower stream, or 0; final
  /// The first bytes that ever came, and whether TLS can begin so.
  Bytes first() const { return Bytes(first_).first(first_size_); }
  bool is_tls() const { return first_size_ == 0 || first_[0] == kHandshake || first_[0] == kAlert; }
  void give_back_empty();

  /// Whether the kernel has the keys of this direction: what is written below is plain then, or what is read.
  bool in_kernel(Interest direction) const { return direction == Interest::write ? kernel_sends_ : kernel_receives_; }
  /// From now on nothing is read that OpenSSL has not asked for yet, so that the kernel can have what follows; or
  /// buffers are filled again.
  void read_exactly(bool exactly) { reads_exactly_ = exactly; }

  /// Writes what is collected; moved(0) when nothing is left.
  IoResult flush();
  std::size_t unsent() const { return output_.size; }
  int write_error() const { return write_error_; }  ///< of the lower stream, or 0; final

 private:
  static constexpr std::uint8_t kAlert = 0x15;
  static constexpr std::uint8_t kHandshake = 0x16;

  struct Held {
    std::optional<BufferPool::Buffer> buffer;
    std::size_t begin = 0;
    std::size_t size = 0;

    MutableBytes view() const { return buffer->bytes().subspan(begin, size); }
    void drop(std::size_t count) {
      begin += count;
      size -= count;
    }
  };

  static const BIO_METHOD* method();
  static int on_read(BIO* bio, char* into, std::size_t size, std::size_t* moved);
  static int on_write(BIO* bio, const char* from, std::size_t size, std::size_t* moved);
  static long on_control(BIO* bio, int command, long number, void* pointer);

  /// One read of the lower stream, by `read`; how many bytes came.
  template <class Read>
  std::size_t read_below(Read read);
  std::size_t read_into(MutableBytes into);
  std::size_t collect(Bytes bytes);
  bool hand_over(const void* keys, Interest direction);
  void forget_output();

  BufferPool& buffers_;
  std::unique_ptr<Stream> below_;
  Held input_;
  Held output_;
  int read_error_ = 0;
  int write_error_ = 0;
  bool ended_ = false;
  bool reads_exactly_ = false;
  bool kernel_attached_ = false;
  bool kernel_sends_ = false;
  bool kernel_receives_ = false;
  std::uint8_t next_type_ = 0;    ///< kernel sends: of the record that OpenSSL writes next
  std::uint8_t output_type_ = 0;  ///< kernel sends: of the record that is collected
  std::uint8_t first_size_ = 0;
  std::array<std::uint8_t, 8> first_{};
};

}  // namespace gost::tls
