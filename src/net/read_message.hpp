// Reading one message of a handshake: exactly its bytes, in whatever pieces they come.
#pragma once

#include "core/decode.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

namespace gost {

/// Feeds `decode`, a function from Bytes to Decode<T>, until it yields a message or an error. No message is longer
/// than `Capacity`. `first` are bytes of the message that somebody has read already. Errors of the stream: Cause::eof
/// ("EOF" before the first byte, "unexpected EOF" within the message), a stop, or the system's.
template <std::size_t Capacity, class Function>
GOST_OWN_FRAME auto read_message(Stream& stream, Function decode, Bytes first = {})
    -> Task<Result<std::variant_alternative_t<0, std::invoke_result_t<Function, Bytes>>>> {
  std::array<std::uint8_t, Capacity> buffer;
  std::size_t size = first.size();
  std::ranges::copy(first, buffer.begin());
  for (;;) {
    auto decoded = decode(Bytes(buffer.data(), size));
    if (auto* message = std::get_if<0>(&decoded)) co_return std::move(*message);
    if (auto* error = std::get_if<Error>(&decoded)) co_return fail(std::move(*error));
    std::size_t missing = std::get<NeedMore>(decoded).bytes;
    if (missing > Capacity - size) co_return fail(Cause::protocol, "message too long");
    IoResult io = stream.try_read(MutableBytes(buffer).subspan(size, missing));
    switch (io.status) {
    case IoResult::Status::ok: size += io.bytes; break;
    case IoResult::Status::eof: co_return fail(Cause::eof, size == 0 ? "EOF" : "unexpected EOF");
    case IoResult::Status::error: co_return fail(stream.error(io.error).in("read"));
    case IoResult::Status::would_block:
      if (Outcome outcome = co_await stream.until(Interest::read); outcome != Outcome::ready)
        co_return fail(stop_error(outcome).in("read"));
    }
  }
}

}  // namespace gost
