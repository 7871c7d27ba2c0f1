#include "net/stream_io.hpp"

namespace gost {

bool ReadExactly::attempt(Stream& stream, Span& left, Result<>& result) {
  while (!left.empty()) {
    IoResult io = stream.try_read(left);
    switch (io.status) {
    case IoResult::Status::ok: left = left.subspan(io.bytes); break;
    case IoResult::Status::would_block: return false;
    case IoResult::Status::eof: result = fail(Cause::eof, "EOF"); return true;
    case IoResult::Status::error: result = fail(stream.error(io.error).in("read")); return true;
    }
  }
  return true;
}

bool WriteAll::attempt(Stream& stream, Span& left, Result<>& result) {
  while (!left.empty()) {
    IoResult io = stream.try_write(left);
    switch (io.status) {
    case IoResult::Status::ok: left = left.subspan(io.bytes); break;
    case IoResult::Status::would_block: return false;
    case IoResult::Status::eof:
    case IoResult::Status::error: result = fail(stream.error(io.error).in("write")); return true;
    }
  }
  return true;
}

Task<Result<std::size_t>> read_some(Stream& stream, MutableBytes into) {
  for (;;) {
    IoResult io = stream.try_read(into);
    switch (io.status) {
    case IoResult::Status::ok: co_return io.bytes;
    case IoResult::Status::eof: co_return std::size_t{0};
    case IoResult::Status::error: co_return fail(stream.error(io.error).in("read"));
    case IoResult::Status::would_block: break;
    }
    if (Outcome outcome = co_await stream.until(Interest::read); outcome != Outcome::ready)
      co_return fail(stop_error(outcome));
  }
}

}  // namespace gost
