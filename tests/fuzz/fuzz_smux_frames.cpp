// Two smux machines with a way between them. Each two bytes of the input are one deed: what, and on which stream or
// how much of it. What one side writes the other one reads, in order, and neither ever calls the other one hostile.
#include "expect.hpp"

#include "mux/smux_machine.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace {

using namespace gost;

struct End {
  End(const SmuxOptions& options, SmuxSide side)
      : machine(options, side, TimePoint()), client(side == SmuxSide::client) {}

  struct Open {
    std::unique_ptr<SmuxStream> stream;
    std::size_t sent = 0;
    std::size_t read = 0;
  };

  std::uint8_t byte_at(const Open& open, bool of_client, std::size_t at) const {
    return static_cast<std::uint8_t>(at + std::size_t{open.stream->id()} * 16 + (of_client ? 8U : 0U));
  }
  void add(std::vector<std::unique_ptr<SmuxStream>> more) {
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
    bytes = std::min({bytes, open.stream->sendable(), static_cast<std::size_t>(machine.options().max_frame_size)});
    if (bytes == 0) return;
    SmuxHeader header = open.stream->header();
    header.length = static_cast<std::uint16_t>(bytes);
    auto head = encode_smux_header(header);
    way.insert(way.end(), head.begin(), head.end());
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

  SmuxMachine machine;
  const bool client;
  std::map<std::uint32_t, Open> streams;
  std::vector<std::uint8_t> way;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  SmuxOptions options;
  options.version = 1 + (data[0] & 1);
  options.half_close = (data[0] & 2) != 0;
  options.max_frame_size = 1 + (data[0] >> 2 & 7) * 40;
  options.max_stream_buffer = 1 + (data[0] >> 5) * 50;
  options.max_receive_buffer = 1000;
  std::array<End, 2> ends{End(options, SmuxSide::client), End(options, SmuxSide::server)};
  for (std::size_t at = 1; at + 1 < size; at += 2) {
    End& end = ends[data[at] & 1];
    End& other = ends[1 - (data[at] & 1)];
    std::size_t amount = data[at + 1];
    int deed = data[at] >> 1 & 7;
    if (deed == 0) {
      std::vector<std::unique_ptr<SmuxStream>> one;
      one.push_back(end.machine.open().value());
      end.add(std::move(one));
    }
    if (deed <= 2) end.pass(other, amount * 4);
    if (end.streams.empty() || deed <= 2) continue;
    auto chosen = std::next(end.streams.begin(), (data[at] >> 4) % static_cast<int>(end.streams.size()));
    if (deed <= 4) end.write(chosen->second, amount * 2);
    if (deed == 5) end.read(chosen->second, amount + 1);
    if (deed == 6) (void)chosen->second.stream->shutdown();
    if (deed == 7) end.streams.erase(chosen);
  }
  return 0;
}
