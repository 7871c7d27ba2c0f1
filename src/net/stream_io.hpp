// Whole reads and writes on a stream. Each tries at once and costs no coroutine frame when that succeeds.
#pragma once

#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <optional>

namespace gost {

/// The shared shape: `attempt()` moves what it can; if that was not all, a coroutine does the rest.
template <class Operation>
class [[nodiscard]] WholeTransfer {
 public:
  WholeTransfer(Stream& stream, typename Operation::Span span) : stream_(stream), left_(span) {}

  bool await_ready() { return left_.empty() || Operation::attempt(stream_, left_, result_); }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) {
    rest_.emplace(finish(stream_, left_, result_));
    rest_->handle().promise().start_under(parent.promise().scope(), parent);
    return rest_->handle();
  }
  Result<> await_resume() { return std::move(result_); }

 private:
  GOST_OWN_FRAME static Task<> finish(Stream& stream, typename Operation::Span left, Result<>& result) {
    do {
      if (Outcome outcome = co_await stream.until(Operation::kInterest); outcome != Outcome::ready) {
        result = fail(stop_error(outcome));
        co_return;
      }
    } while (!Operation::attempt(stream, left, result));
  }

  Stream& stream_;
  typename Operation::Span left_;
  Result<> result_;
  std::optional<Task<>> rest_;
};

struct ReadExactly {
  using Span = MutableBytes;
  static constexpr Interest kInterest = Interest::read;
  /// True when all is read or nothing more will come.
  static bool attempt(Stream& stream, Span& left, Result<>& result);
};

struct WriteAll {
  using Span = Bytes;
  static constexpr Interest kInterest = Interest::write;
  static bool attempt(Stream& stream, Span& left, Result<>& result);
};

/// Fills `into` completely and reads nothing beyond it. Errors: Cause::eof if the stream ends before ("EOF").
inline auto read_exactly(Stream& stream, MutableBytes into) {
  return WholeTransfer<ReadExactly>(stream, into);
}

/// Writes all of `from`.
inline auto write_all(Stream& stream, Bytes from) {
  return WholeTransfer<WriteAll>(stream, from);
}

/// Reads at least one byte; 0 at the end of the stream.
Task<Result<std::size_t>> read_some(Stream& stream, MutableBytes into);

}  // namespace gost
