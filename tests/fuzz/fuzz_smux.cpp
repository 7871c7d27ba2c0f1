// A hostile peer of an smux session; the first byte chooses which.
#include "mux/smux_machine.hpp"

#include "mux_hostile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size < 2) return 0;
  SmuxOptions options;
  options.version = 1 + (data[0] & 1);
  options.half_close = (data[0] & 2) != 0;
  options.max_stream_buffer = 1 + (data[0] >> 2 & 7) * 100;
  options.max_receive_buffer = 1000;
  SmuxMachine machine(options, MuxSide::server, TimePoint());
  fuzz::hostile_peer(machine, 0, options.max_receive_buffer, std::size_t{1} + data[1], Bytes(data, size).subspan(2));
  return 0;
}
