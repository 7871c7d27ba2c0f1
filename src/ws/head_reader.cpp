#include "ws/head_reader.hpp"

#include <array>

namespace gost::ws {

Task<Result<>> read_head(Stream& stream, HeadBytes& read) {
  for (;;) {
    std::array<std::uint8_t, 2048> piece;
    const IoResult io = stream.try_read(piece);
    if (io.status == IoResult::Status::would_block) {
      if (Outcome outcome = co_await stream.until(Interest::read); outcome != Outcome::ready)
        co_return fail(stop_error(outcome));
      continue;
    }
    if (io.status == IoResult::Status::eof) co_return fail(Cause::eof, read.bytes.empty() ? "EOF" : "unexpected EOF");
    if (io.status == IoResult::Status::error) co_return fail(stream.error(io.error).in("read"));
    const std::size_t searched = read.bytes.size();
    read.bytes.insert(read.bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(io.bytes));
    auto end = find_head_end(read.bytes, searched);
    if (auto* error = std::get_if<Error>(&end)) co_return fail(std::move(*error));
    if (auto* size = std::get_if<std::size_t>(&end)) {
      read.head_size = *size;
      co_return Result<>();
    }
  }
}

}  // namespace gost::ws
