// Bytes of a hostile peer into a SnappyStream, in pieces as the first byte says; then the same bytes as payload,
// which must come out as they were.
#include "expect.hpp"

#include "kcp/snappy_stream.hpp"
#include "net/memory_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace {

using namespace gost;

/// Reads until nothing more comes; how that ends.
IoResult::Status drain(Stream& from, std::vector<std::uint8_t>& into, std::size_t at_most) {
  std::vector<std::uint8_t> some(at_most);
  for (;;) {
    IoResult io = from.try_read(some);
    if (io.status != IoResult::Status::ok) return io.status;
    fuzz::expect(io.bytes > 0 && io.bytes <= some.size(), "a read tells the truth");
    into.insert(into.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(io.bytes));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using kcp::SnappyStream;
  if (size < 2) return 0;
  const std::size_t piece = std::size_t{1} + data[0] * std::size_t{16};
  const std::size_t at_most = std::size_t{1} + data[1] * std::size_t{300};
  Bytes given = Bytes(data, size).subspan(2);
  BufferPool buffers;
  std::vector<std::uint8_t> got;
  {
    auto [near, far] = make_memory_pipe();
    SnappyStream stream(buffers, std::move(near));
    bool failed = false;
    for (Bytes rest = given; !rest.empty();) {
      Bytes part = rest.first(std::min(rest.size(), piece));
      far->try_write(part);
      rest = rest.subspan(part.size());
      bool fails = drain(stream, got, at_most) == IoResult::Status::error;
      fuzz::expect(!failed || fails, "who breaks the format stays broken");
      if (fails && !failed) fuzz::expect(!stream.error(EPROTO).text.empty(), "a failure has a sentence");
      failed = fails;
    }
    fuzz::expect(got.size() <= (given.size() + 1) * std::size_t{65536}, "a chunk holds 64 KiB");
  }
  auto [near, far] = make_memory_pipe({.capacity = piece + 1});
  SnappyStream reader(buffers, std::move(near));
  SnappyStream writer(buffers, std::move(far));
  got.clear();
  for (Bytes rest = given; !rest.empty();) {
    IoResult io = writer.try_write(rest);
    if (io.status == IoResult::Status::ok) rest = rest.subspan(io.bytes);
    fuzz::expect(drain(reader, got, at_most) == IoResult::Status::would_block, "the stream goes on");
  }
  fuzz::expect(std::ranges::equal(got, given), "what is written is read");
  return 0;
}
