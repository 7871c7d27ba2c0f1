// Two mux machines with a way between them. Each two bytes of the input are one deed: what, and on which stream or
// how much of it. What one side writes the other one reads, in order, and neither ever calls the other one hostile.
#pragma once

#include "expect.hpp"

#include "mux/options.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace gost::fuzz {

struct End {
  End(const MuxOptions& options, MuxSide side)
      : made(make_machine(options, side, TimePoint())), machine(*made), client(side == MuxSide::client) {}

  struct Open {
    std::unique_ptr<MuxMachineStream> stream;
    std::size_t sent = 0;
    std::size_t read = 0;
  };

  std::uint8_t byte_at(const Open& open, bool of_client, std::size_t at) const {
    return static_cast<std::uint8_t>(at + std::size_t{open.stream->id()} * 16 + (of_client ? 8U : 0U));
  }
  void add(std::vector<std::unique_ptr<MuxMachineStream>> more) {
    for (auto& stream : more) {
      std::uint32_t id = stream->id();
      fuzz::expect(!streams.contains(id), "an id is in use once");
      streams[id].stream = std::move(stream);
    }
  }
  void take_control() {
    std::array<std::uint8_t, 64> some;
    while (machine.has_control()) {
      std::size_t size = machine.take_control(some);
      way.insert(way.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }
  void write(Open& open, std::size_t bytes) {
    take_control();
    bytes = std::min({bytes, open.stream->sendable(), machine.max_frame_size()});
    if (bytes == 0) return;
    MuxHeader header = open.stream->header(bytes);
    way.insert(way.end(), header.view().begin(), header.view().end());
    for (std::size_t i = 0; i < bytes; ++i) way.push_back(byte_at(open, client, open.sent++));
    open.stream->sent(bytes);
  }
  void read(Open& open, std::size_t most) {
    std::vector<std::uint8_t> bytes(most);
    IoResult got = open.stream->read(bytes, TimePoint());
    for (std::size_t i = 0; i < got.bytes; ++i)
      fuzz::expect(bytes[i] == byte_at(open, !client, open.read++), "bytes arrive in order");
  }
  void pass(End& to, std::size_t most) {
    take_control();
    if (!to.machine.wants_input()) return;
    std::size_t count = std::min(most, way.size());
    fuzz::expect(to.machine.input(Bytes(way).first(count)).has_value(), "our own frames are well-formed");
    way.erase(way.begin(), way.begin() + static_cast<std::ptrdiff_t>(count));
    to.add(to.machine.take_accepted());
  }

  const std::unique_ptr<MuxMachine> made;
  MuxMachine& machine;
  const bool client;
  std::map<std::uint32_t, Open> streams;
  std::vector<std::uint8_t> way;
};

inline void exchange(const MuxOptions& options, Bytes deeds) {
  std::array<End, 2> ends{End(options, MuxSide::client), End(options, MuxSide::server)};
  for (std::size_t at = 0; at + 1 < deeds.size(); at += 2) {
    End& end = ends[deeds[at] & 1];
    End& other = ends[1 - (deeds[at] & 1)];
    std::size_t amount = deeds[at + 1];
    int deed = deeds[at] >> 1 & 7;
    if (deed == 0) {
      std::vector<std::unique_ptr<MuxMachineStream>> one;
      one.push_back(end.machine.open().value());
      end.add(std::move(one));
    }
    if (deed <= 2) end.pass(other, amount * 4);
    if (end.streams.empty() || deed <= 2) continue;
    auto chosen = std::next(end.streams.begin(), (deeds[at] >> 4) % static_cast<int>(end.streams.size()));
    if (deed <= 4) end.write(chosen->second, amount * 2);
    if (deed == 5) end.read(chosen->second, amount + 1);
    if (deed == 6) (void)chosen->second.stream->shutdown();
    if (deed == 7) end.streams.erase(chosen);
  }
}

}  // namespace gost::fuzz
