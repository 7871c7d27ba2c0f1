// Stream: a byte stream between two parties, bound to one loop.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "runtime/loop.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace gost {

/// What a non-blocking read or write did.
struct IoResult {
  enum class Status : std::uint8_t { ok, would_block, eof, error };
  Status status = Status::ok;
  int error = 0;          ///< errno, with Status::error
  std::size_t bytes = 0;  ///< moved, with Status::ok

  static IoResult moved(std::size_t bytes) { return {Status::ok, 0, bytes}; }
  static IoResult would_block() { return {Status::would_block, 0, 0}; }
  static IoResult eof() { return {Status::eof, 0, 0}; }
  static IoResult failed(int error) { return {Status::error, error, 0}; }
};

/// Waits until `End` (a Stream or a Datagram) is worth a try; the wait's outcome.
template <class End>
class [[nodiscard]] UntilReady {
 public:
  UntilReady(End& end, Interest interest) : end_(end), interest_(interest) {}
  bool await_ready() const { return end_.ready(interest_); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    return wait_.begin(coroutine.promise().scope(), coroutine, &end_.waiting(interest_));
  }
  Outcome await_resume() const { return wait_.outcome(); }

 private:
  End& end_;
  Interest interest_;
  Wait wait_;
};

/// Owned by unique_ptr; closed by destroying it, when no coroutine waits on it any more. One reader and one writer at
/// a time may wait.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads what is there, without waiting. `into` must not be empty.
  virtual IoResult try_read(MutableBytes into) = 0;
  /// Writes as much of `from` as fits, without waiting. `from` must not be empty.
  virtual IoResult try_write(Bytes from) = 0;
  /// Ends the sending side and leaves the receiving side open. ENOTSUP if the stream cannot do that; would_block if
  /// it has to be tried again when the stream is writable.
  virtual IoResult try_shutdown() = 0;
  /// Makes the coming close a reset: the peer sees a broken connection instead of an orderly end.
  virtual void abort() = 0;
  /// Bytes written that have not reached the peer's machine yet (0 also where that cannot be known).
  virtual std::size_t undelivered() const { return 0; }
  /// Whether the peer has ended both directions in order: nothing can be written any more, and behind what can still
  /// be read comes the end.
  virtual bool closed() const { return false; }

  /// Whether a try in this direction is worth its system call. Nothing is held while waiting for that.
  virtual bool ready(Interest interest) const = 0;
  /// Where a coroutine that waits in this direction is noted.
  virtual Wait*& waiting(Interest interest) = 0;

  /// The descriptor that takes or gives this stream's bytes just now, with nothing buffered in between, for splice(2)
  /// and gathering writes; null if there is none. What cannot be spliced out of it (EINVAL) has to be read.
  virtual IoWatch* kernel(Interest) { return nullptr; }

  virtual SocketAddress local() const = 0;
  virtual SocketAddress remote() const = 0;
  /// The layers, outermost last: "tcp", "tcp,tls,ws".
  virtual std::string layers() const = 0;

  /// The sentence for a result with Status::error.
  virtual Error error(int number) const { return Error::system(number); }

  /// Waits, holding nothing, until a try is worth it: `Outcome o = co_await stream.until(Interest::read);`
  auto until(Interest interest) { return UntilReady<Stream>(*this, interest); }
};

}  // namespace gost
