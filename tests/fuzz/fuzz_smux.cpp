// Bytes of a hostile peer into an smux machine: the first byte chooses the session, the rest is read in pieces. All
// streams are accepted; some are read, some closed, some written.
#include "expect.hpp"

#include "mux/smux_machine.hpp"

#include <algorithm>
#include <array>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size < 2) return 0;
  SmuxOptions options;
  options.version = 1 + (data[0] & 1);
  options.half_close = (data[0] & 2) != 0;
  options.max_stream_buffer = 1 + (data[0] >> 2 & 7) * 100;
  options.max_receive_buffer = 1000;
  std::size_t piece = std::size_t{1} + data[1];
  SmuxMachine machine(options, MuxSide::server, TimePoint());
  std::vector<std::unique_ptr<MuxMachineStream>> streams;
  std::vector<std::uint8_t> memory(300);
  TimePoint now;
  Bytes rest = Bytes(data, size).subspan(2);
  bool ended = false;
  while (!rest.empty()) {
    Bytes part = rest.first(std::min(rest.size(), piece));
    rest = rest.subspan(part.size());
    auto taken = machine.input(part);
    fuzz::expect(!ended || !taken, "a session that has ended stays so");
    ended = !taken;
    for (auto& stream : machine.take_accepted()) streams.push_back(std::move(stream));
    fuzz::expect(machine.streams() == streams.size(), "every stream is somebody's");
    std::size_t choice = part[0];
    now += std::chrono::milliseconds(choice);
    if (!streams.empty()) {
      MuxMachineStream& stream = *streams[choice % streams.size()];
      if (std::size_t count = std::min<std::size_t>(stream.sendable(), choice); count > 0) stream.sent(count);
      bool readable = stream.readable();
      IoResult got = stream.read(memory, now);
      fuzz::expect(readable == (got.status != IoResult::Status::would_block), "readable() tells the truth");
      fuzz::expect(got.status != IoResult::Status::error, "a stream of a living session does not fail");
      if (choice % 16 == 1) streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(choice % streams.size()));
      if (choice % 16 == 2) (void)stream.shutdown();
    }
    std::array<std::uint8_t, 40> control;
    fuzz::expect(machine.take_control(control) > 0 || !machine.has_control(), "what is queued fits");
  }
  for (auto& stream : streams) {
    while (stream->read(memory, now).status == IoResult::Status::ok) {
    }
  }
  fuzz::expect(machine.budget() == options.max_receive_buffer, "who reads everything has the whole budget again");
  machine.end();
  for (auto& stream : streams) fuzz::expect(stream->readable() && stream->sendable() == 0, "all have ended");
  return 0;
}
