// Reading the head of an HTTP message from a stream.
#pragma once

#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "ws/http_head.hpp"

#include <vector>

namespace gost::ws {

/// What was read: a whole head, and what came with it.
struct HeadBytes {
  std::vector<std::uint8_t> bytes;
  std::size_t head_size = 0;  ///< 0: there is no whole head

  Bytes head() const { return Bytes(bytes).first(head_size); }
  Bytes rest() const { return Bytes(bytes).subspan(head_size); }
};

/// Reads until a head is whole, into `read`, which also has what there was after an error. Errors: those of
/// find_head_end() (Cause::protocol), Cause::eof, the stream's, a stop.
Task<Result<>> read_head(Stream& stream, HeadBytes& read);

}  // namespace gost::ws
