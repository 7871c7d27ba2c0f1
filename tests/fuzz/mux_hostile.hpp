// Bytes of a hostile peer into a mux machine, in pieces. All streams are accepted; some are read, some closed or
// broken, some written, as the bytes say.
#pragma once

#include "expect.hpp"

#include "mux/machine.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace gost::fuzz {

/// `opened` of the machine's streams are ours; `budget` is what it may receive unread.
inline void hostile_peer(MuxMachine& machine, int opened, std::int64_t budget, std::size_t piece, Bytes rest) {
  std::vector<std::unique_ptr<MuxMachineStream>> streams;
  for (; opened > 0; --opened) streams.push_back(machine.open().value());
  std::vector<std::uint8_t> memory(300);
  TimePoint now;
  bool ended = false;
  while (!rest.empty()) {
    Bytes part = rest.first(std::min(rest.size(), piece));
    rest = rest.subspan(part.size());
    auto taken = machine.input(part);
    expect(!ended || !taken, "a session that has ended stays so");
    ended = !taken;
    for (auto& stream : machine.take_accepted()) streams.push_back(std::move(stream));
    expect(machine.streams() == streams.size(), "every stream is somebody's");
    std::size_t choice = part[0];
    now += std::chrono::milliseconds(choice);
    if (!streams.empty()) {
      auto chosen = streams.begin() + static_cast<std::ptrdiff_t>(choice % streams.size());
      MuxMachineStream& stream = **chosen;
      if (std::size_t count = std::min<std::size_t>(stream.sendable(), choice); count > 0) stream.sent(count);
      bool readable = stream.readable();
      IoResult got = stream.read(memory, now);
      expect(readable == (got.status != IoResult::Status::would_block), "readable() tells the truth");
      expect(got.status != IoResult::Status::error || machine.name() != "smux",
             "a stream of a living session does not fail");
      if (choice % 16 == 2) (void)stream.shutdown();
      if (choice % 16 == 3) stream.abort();
      if (choice % 16 == 1 || choice % 16 == 3) streams.erase(chosen);
    }
    std::array<std::uint8_t, 40> control;
    expect(machine.take_control(control) > 0 || !machine.has_control(), "what is queued fits");
  }
  for (auto& stream : streams) {
    while (stream->read(memory, now).status == IoResult::Status::ok) {
    }
  }
  expect(machine.budget() == budget, "who reads everything has the whole budget again");
  machine.end();
  for (auto& stream : streams) expect(stream->readable() && stream->sendable() == 0, "all have ended");
}

}  // namespace gost::fuzz
