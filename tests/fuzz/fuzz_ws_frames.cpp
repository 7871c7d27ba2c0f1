// Bytes of a hostile peer into a WsStream: the first byte chooses the role, compression and the sizes of reads, the
// second the segments. Whatever comes: no more memory than its buffers, one Close at most, and nothing behind the
// end.
#include "expect.hpp"

#include "net/memory_pipe.hpp"
#include "ws/stream.hpp"

#include <algorithm>
#include <array>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size < 2) return 0;
  const ws::Role role = (data[0] & 1) != 0 ? ws::Role::client : ws::Role::server;
  const std::size_t piece = std::size_t{1} + data[1];
  std::vector<std::uint8_t> into(std::size_t{1} + (data[0] >> 2) * 20U);
  IoContext io(Loop::Time::simulated);
  auto [near, peer] = make_memory_pipe();
  ws::WsStream end(io, std::move(near), {.sender = {.role = role, .compression = (data[0] & 2) != 0}});
  ws::FrameDecoder answers(role == ws::Role::client ? ws::Role::server : ws::Role::client, true);
  Bytes rest = Bytes(data, size).subspan(2);
  bool over = false;
  bool closed = false;
  auto hear = [&] {
    std::array<std::uint8_t, 1000> buffer;
    for (IoResult got = peer->try_read(buffer); got.status == IoResult::Status::ok; got = peer->try_read(buffer)) {
      Bytes raw = Bytes(buffer).first(got.bytes);
      for (;;) {
        auto event = answers.next(raw);
        fuzz::expect(event.has_value(), "what it answers is well-formed");
        if (*event == ws::FrameDecoder::Event::need_more) break;
        fuzz::expect(!closed, "nothing follows a Close");
        fuzz::expect(*event == ws::FrameDecoder::Event::pong || *event == ws::FrameDecoder::Event::close,
                     "it answers pings and Closes only");
        closed = *event == ws::FrameDecoder::Event::close;
      }
    }
  };
  while (!rest.empty()) {
    const IoResult put = peer->try_write(rest.first(std::min(rest.size(), piece)));
    if (put.status != IoResult::Status::ok) break;
    rest = rest.subspan(put.bytes);
    for (int turn = 0; turn < 2000; ++turn) {
      const bool readable = end.ready(Interest::read);
      const IoResult got = end.try_read(into);
      if (over) fuzz::expect(got.status != IoResult::Status::ok, "an end is the end");
      if (got.status == IoResult::Status::ok) fuzz::expect(readable && got.bytes <= into.size(), "readable before");
      over = over || got.status == IoResult::Status::eof || got.status == IoResult::Status::error;
      if (got.status != IoResult::Status::ok) break;
    }
    hear();
    fuzz::expect(io.buffers.kept() <= 3, "few buffers are ever used");
  }
  peer->try_shutdown();
  return 0;
}
