// For tests: one end of a mux session as a machine alone, whose streams say bytes that their reader knows.
#pragma once

#include "mux/options.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gost::testing {

struct MuxEnd {
  MuxEnd(const MuxOptions& options, MuxSide side)
      : made(make_machine(options, side, TimePoint())), machine(*made), client(side == MuxSide::client) {}

  struct Open {
    std::unique_ptr<MuxMachineStream> stream;
    std::uint64_t sent = 0;
    std::uint64_t read = 0;
    bool ended = false;
  };

  const std::unique_ptr<MuxMachine> made;
  MuxMachine& machine;
  const bool client;
  std::map<std::uint32_t, Open> streams;
  std::map<std::uint32_t, std::uint64_t> sent;  ///< also of closed streams
  std::vector<std::uint8_t> way;                ///< to the other end

  /// The byte number `at` that an end sends on a stream.
  static std::uint8_t byte_at(std::uint32_t id, bool of_client, std::uint64_t at) {
    return static_cast<std::uint8_t>(at * 31 + at / 256 + id + (of_client ? 100U : 0U));
  }

  void open() { add(machine.open().value()); }
  /// False if its id is in use.
  bool add(std::unique_ptr<MuxMachineStream> stream) {
    auto [place, is_new] = streams.try_emplace(stream->id());
    place->second.stream = std::move(stream);
    return is_new;
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
    for (std::size_t i = 0; i < bytes; ++i) way.push_back(byte_at(open.stream->id(), client, open.sent++));
    open.stream->sent(bytes);
    sent[open.stream->id()] = open.sent;
  }
  /// True when everything that came was what the other end had sent, in order.
  bool read(Open& open, std::size_t most) {
    std::vector<std::uint8_t> bytes(most);
    IoResult got = open.stream->read(bytes, TimePoint());
    // Where closing discards what comes late the peer may be told so.
    bool reset = got.status == IoResult::Status::error && got.error == ECONNRESET && machine.name() == "yamux";
    if (got.status == IoResult::Status::eof || reset) open.ended = true;
    for (std::size_t i = 0; i < got.bytes; ++i) {
      if (bytes[i] != byte_at(open.stream->id(), !client, open.read++)) return false;
    }
    return reset || got.status != IoResult::Status::error;
  }
  /// Passes up to `most` bytes on, if the other end reads. How many those were; nothing if it does not understand
  /// them, or two streams have one id.
  std::optional<std::size_t> pass(MuxEnd& to, std::size_t most) {
    take_control();
    std::size_t count = to.machine.wants_input() ? std::min(most, way.size()) : 0;
    bool understood = to.machine.input(Bytes(way).first(count)).has_value();
    way.erase(way.begin(), way.begin() + static_cast<std::ptrdiff_t>(count));
    for (auto& stream : to.machine.take_accepted()) understood = to.add(std::move(stream)) && understood;
    return understood ? std::optional(count) : std::nullopt;
  }
};

}  // namespace gost::testing
